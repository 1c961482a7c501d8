using System.Diagnostics;
using System.Text;
using AuditCli.Controls.Yaml;

namespace AuditCli.Controls.Tests.Yaml;

public sealed class YamlDocumentTests
{
    [Fact]
    public void An_alias_bomb_is_refused_at_its_first_anchor_without_being_unfolded()
    {
        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 30; i++)
            bomb.Append($"a{i}: &a{i} [{string.Join(",", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        var watch = Stopwatch.StartNew();

        Assert.Equal(["f:1:5: YAML anchors (&name) are not allowed; write the value out where it is needed"], Faults(bomb.ToString()));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"took {watch.Elapsed}");
    }

    [Theory]
    [InlineData("a: *b\n", "f:1:4: YAML aliases (*name) are not allowed; write the value out")]
    [InlineData("a: !!str b\n", "f:1:4: YAML tags (!name) are not allowed")]
    [InlineData("a: !system b\n", "f:1:4: YAML tags (!name) are not allowed")]
    [InlineData("a: 1\n---\nb: 2\n", "f:2:1: a second document begins here; a file holds one")]
    [InlineData("a: 1\nb: 2\na: 3\n", "f:3:1: the key 'a' is repeated here; the first is on line 1")]
    [InlineData("a: {b: 1, 'b': 2}\n", "f:1:11: the key 'b' is repeated here; the first is on line 1")]
    [InlineData("? [a]\n: b\n", "f:1:3: a key must be text, not a list")]
    [InlineData("%YAML 1.1\n---\na: 1\n", "f:1:1: the directive %YAML is not allowed")]
    [InlineData("", "f:1:1: the file is empty")]
    [InlineData("# nothing\n", "f:1:1: the file is empty")]
    [InlineData("a: b\n\0", "f:2:1: the character U+0000 is not allowed")]
    [InlineData("a: \u0007\n", "f:1:4: the character U+0007 is not allowed")]
    [InlineData("a: x\u202Ey\n", "f:1:5: the character U+202E is not allowed")]
    [InlineData("a: \"x\\0\"\n", "f:1:4: the character U+0000 is not allowed, nor its escape")]
    public void What_a_document_may_not_have_is_named_at_its_place(string yaml, string fault) => Assert.Equal([fault], Faults(yaml));

    [Fact]
    public void A_tab_for_indentation_is_named_at_its_place()
    {
        Assert.Equal(["f:2:1: not YAML: while scanning a mapping, found invalid tab as indentation"], Faults("a:\n\tb: 1\n"));
        Assert.StartsWith("f:3:1: not YAML: ", Assert.Single(Faults("a:\n  b: 1\n\tc: 2\n")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [1\nb: 2\n")]
    [InlineData("a: 'x\nb: 2\n")]
    [InlineData("a: {b: 1\n")]
    [InlineData("a: \"\\uD800\"\n")]
    [InlineData("a: b: c\n")]
    [InlineData("- a\nb: 1\n")]
    [InlineData("a: @x\n")]
    public void What_is_not_YAML_is_one_fault_and_no_exception(string yaml) =>
        Assert.Contains(": not YAML: ", Assert.Single(Faults(yaml)), StringComparison.Ordinal);

    [Fact]
    public void No_text_makes_the_reader_throw()
    {
        var random = new Random(20261122);
        var pieces = new[]
        {
            "[", "]", "{", "}", ":", ": ", "- ", "\n", "  ", "\t", "|", ">", "'", "\"", "#", "&a", "*a", "!", "%", "@", ",", "? ",
            "---\n", "...\n", "\\", "\r",
        };
        var whole = Samples.Control.Replace("status: retired\nreplaced_by: APD-AWS-003\n", "", StringComparison.Ordinal);
        for (var i = 0; i < 1000; i++)
        {
            var text = new StringBuilder(whole);
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                var at = random.Next(text.Length);
                text.Remove(at, Math.Min(random.Next(4), text.Length - at));
                text.Insert(at, pieces[random.Next(pieces.Length)]);
            }
            var library = Samples.Library(Samples.File("APD-AWS-002", text.ToString()));
            Assert.True(library.Faults.Length > 0 != library.Controls.Length > 0);
        }
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        Assert.Equal(["f:1:65: nested deeper than 64 levels"], Faults(new string('[', 100_000) + new string(']', 100_000)));
        Assert.Empty(Faults(new string('[', 64) + new string(']', 64)));
    }

    [Fact]
    public void Size_and_number_of_events_are_bounded()
    {
        Assert.Equal(["f:1:1: the file has 1048577 bytes; at most 1048576 are read"], Faults(new string(' ', YamlDocument.MaximumBytes + 1)));
        var fault = Assert.Single(Faults("[" + string.Concat(Enumerable.Repeat("1,", 210_000)) + "]"));
        Assert.EndsWith("the file has more than 200000 YAML events", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_named_at_their_place()
    {
        var (root, faults) = YamlDocument.Parse("f", [.. "a: b\nc: "u8, 0xC3, 0x28]);
        Assert.Null(root);
        Assert.Equal("f:2:4: the file is not UTF-8 from here on; save it as UTF-8", Assert.Single(faults).ToString());
    }

    [Fact]
    public void A_byte_order_mark_at_the_beginning_is_skipped()
    {
        var (root, faults) = YamlDocument.Parse("f", [0xEF, 0xBB, 0xBF, .. "a: b"u8]);
        Assert.Empty(faults);
        Assert.Equal(new YamlPosition("f", 1, 1), Assert.IsType<YamlMap>(root).Position);
    }

    [Theory]
    [InlineData("a: |\n  SELECT 1\n  FROM x\n", 2, 3, 3, 3)]
    [InlineData("a: |  # why\n\n     SELECT 1\n     FROM x\n", 2, 6, 3, 6)]
    [InlineData("a: |2-\n    SELECT 1\n   FROM x\n", 2, 3, 3, 3)]
    [InlineData("a: SELECT 1\n", 1, 4, 1, 4)]
    [InlineData("a: 'SELECT 1'\n", 1, 5, 1, 5)]
    public void A_text_knows_where_its_lines_stand(string yaml, int line, int column, int secondLine, int secondColumn)
    {
        var text = ((YamlScalar)((YamlMap)YamlDocument.Parse("f", Encoding.UTF8.GetBytes(yaml)).Root!).Find("a")!).Content;
        Assert.Equal(new("f", line, column), text.At(1, 1));
        Assert.Equal(new("f", line, column + 7), text.At(1, 8));
        Assert.Equal(new("f", secondLine, secondColumn), text.At(2, 1));
    }

    [Theory]
    [InlineData("a: 1", """{"a":1}""")]
    [InlineData("a: '1'", """{"a":"1"}""")]
    [InlineData("a: 1.10", """{"a":1.10}""")]
    [InlineData("a: 0o17", """{"a":15}""")]
    [InlineData("a: 0xFF", """{"a":255}""")]
    [InlineData("a: +007", """{"a":7}""")]
    [InlineData("a: .5", """{"a":0.5}""")]
    [InlineData("a: .inf", """{"a":".inf"}""")]
    [InlineData("a: 1e999", """{"a":"1e999"}""")]
    [InlineData("a: no", """{"a":"no"}""")]
    [InlineData("a: True", """{"a":true}""")]
    [InlineData("a: ~", """{"a":null}""")]
    [InlineData("a:", """{"a":null}""")]
    [InlineData("a: 2026-01-01", """{"a":"2026-01-01"}""")]
    [InlineData("[x, {y: [true]}]", """["x",{"y":[true]}]""")]
    public void Plain_scalars_read_as_JSON_by_the_core_schema(string yaml, string json) =>
        Assert.Equal(json, CoreSchema.ToJson(YamlDocument.Parse("f", Encoding.UTF8.GetBytes(yaml)).Root!).GetRawText());

    private static string[] Faults(string yaml) =>
        [.. YamlDocument.Parse("f", Encoding.UTF8.GetBytes(yaml)).Faults.Select(f => f.ToString())];
}
