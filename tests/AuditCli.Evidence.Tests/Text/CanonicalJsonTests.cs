using System.Text;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Text;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Text;

public sealed class CanonicalJsonTests
{
    private static readonly string Vectors = Repository.Path("tests", "AuditCli.Evidence.Tests", "Vectors", "jcs");

    public static TheoryData<string> Inputs =>
        [.. Directory.GetFiles(Path.Combine(Vectors, "input")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Fact]
    public void A_number_beyond_a_double_is_refused() =>
        Assert.Throws<ArgumentException>(() => CanonicalJson.Encode(JsonNode.Parse("1e400")));

    [Fact]
    public void A_lone_surrogate_is_refused() =>
        Assert.Throws<ArgumentException>(() => CanonicalJson.Encode(JsonValue.Create("\ud800")));

    [Fact]
    public void A_lone_surrogate_in_a_parsed_document_is_refused() =>
        Assert.Throws<ArgumentException>(() => CanonicalJson.Encode(JsonNode.Parse("""{"a":"\ud800"}""")));

    [Theory]
    [MemberData(nameof(Inputs))]
    public void The_published_inputs_give_the_published_bytes(string name)
    {
        var canonical = CanonicalJson.Encode(JsonNode.Parse(File.ReadAllBytes(Path.Combine(Vectors, "input", name))));
        Assert.Equal(File.ReadAllBytes(Path.Combine(Vectors, "output", name)), canonical);
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Canonical_bytes_are_their_own_canonical_form(string name)
    {
        var canonical = File.ReadAllBytes(Path.Combine(Vectors, "output", name));
        Assert.Equal(canonical, CanonicalJson.Encode(JsonNode.Parse(canonical)));
    }

    [Theory]
    [InlineData("1e21", "1e+21")]
    [InlineData("1e20", "100000000000000000000")]
    [InlineData("1e-7", "1e-7")]
    [InlineData("0.000001", "0.000001")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("4.50", "4.5")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("1.7976931348623157e308", "1.7976931348623157e+308")]
    [InlineData("9007199254740993", "9007199254740992")]
    [InlineData("333333333.33333329", "333333333.3333333")]
    [InlineData("-1E+2", "-100")]
    public void Numbers_print_as_ECMAScript_prints_them(string literal, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Encode(JsonNode.Parse(literal))));

    [Fact]
    public void Only_the_escapes_that_RFC_8785_lists_are_used() =>
        Assert.Equal("\"\\b\\t\\n\\f\\r\\u0000\\u001f\\\"\\\\/\u007f\u2028<\U0001F600\"",
            Encoding.UTF8.GetString(CanonicalJson.Encode(JsonValue.Create("\b\t\n\f\r\0\u001f\"\\/\u007f\u2028<\U0001F600"))));
}
