using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Tests;
using DuckDB.NET.Data;

namespace AuditCli.Collectors.Tests.Files;

/// <summary>Checks that a copy of a file has digests in the place of personal values, and nothing else in the place of anything.</summary>
public sealed class PersonalCopyTests : IDisposable
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Digest(string value) => "hmac-sha256:" + Convert.ToHexStringLower(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(value)));

    private SuppliedInput Supplied(string file, string content) =>
        new("people", _folder.Write(file, content), null, $"inputs/{file}") { RedactionKey = Key };

    private SuppliedInput Supplied(string file, byte[] content)
    {
        var path = Path.Combine(_folder.Path, file);
        File.WriteAllBytes(path, content);
        return new("people", path, null, $"inputs/{file}") { RedactionKey = Key };
    }

    private byte[] Bytes(SuppliedInput input, byte[] key, params string[] columns)
    {
        var target = Path.Combine(_folder.Path, $"copy-{Guid.NewGuid():N}");
        PersonalCopy.Write(input, target, [.. columns], key);
        return File.ReadAllBytes(target);
    }

    private string Copy(SuppliedInput input, params string[] columns) => Encoding.UTF8.GetString(Bytes(input, Key, columns));

    /// <summary>Tries to copy a file that is not what it should be; returns what the copy holds nevertheless.</summary>
    private string Refused(SuppliedInput input, string column)
    {
        var target = Path.Combine(_folder.Path, "refused");
        Assert.Throws<InvalidDataException>(() => PersonalCopy.Write(input, target, [column], Key));
        return File.Exists(target) ? File.ReadAllText(target, Encoding.Latin1) : "";
    }

    private static string[] Rows(string path, SuppliedInput input, params string[] columns)
    {
        using var file = InputFile.Open(path, "copy", input.Layout, [.. columns.Select(c => new Column(c, ColumnType.Text))]);
        return [.. file.Records().Select(r => string.Join('|', r.Cells.Select(c => c.Fault ?? c.Text ?? "NULL")))];
    }

    private static byte[] Parquet(string path, string select)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"COPY ({select}) TO '{path}' (FORMAT parquet)";
        command.ExecuteNonQuery();
        return File.ReadAllBytes(path);
    }

    private static PlannedInput Planned(params string[] personal) =>
        new("k", "people", [new("id", ColumnType.Text), new("email", ColumnType.Text)], []) { Personal = [.. personal] };

    [Theory]
    [InlineData("people.csv", "id,email\n1,first@example.org,\"zoe@example.org\"\n")]
    [InlineData("people.csv", "id,email\n\"1,zoe@example.org\n")]
    [InlineData("people.ndjson", "{\"id\":\"1\",\"email\":\"zoe@example.org\"\n")]
    [InlineData("people.ndjson", "[\"zoe@example.org\"]\n")]
    [InlineData("people.ndjson", "{\"id\":\"1\",\"email\":\"zoe@example.org\",\"email\":\"zoe@example.org\"}\n")]
    [InlineData("people.json", "[{\"id\":\"1\",\"email\":\"zoe@example.org\",\"email\":\"zoe@example.org\"}]")]
    [InlineData("people.json", "[\"zoe@example.org\"]")]
    [InlineData("people.json", "[{\"id\":\"1\",\"mail\":\"x\"}]")]
    [InlineData("people.json", "{\"email\":\"zoe@example.org\"}")]
    [InlineData("people.xlsx", "zoe@example.org")]
    [InlineData("people.parquet", "PAR1zoe@example.org")]
    public void A_file_that_is_not_what_it_should_be_leaves_no_value_in_the_copy(string file, string content)
    {
        Assert.DoesNotContain("zoe", Refused(Supplied(file, content), "email"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("people.json", "[{\"email\":{\"a\":\"zoe\"}}]")]
    [InlineData("people.json", "[{\"email\":[\"zoe\"]}]")]
    [InlineData("people.json", "[{\"email\":\"zoe\\ud800\"}]")]
    [InlineData("people.ndjson", "{\"email\":{\"a\":\"zoe\"}}\n")]
    public void A_cell_that_cannot_be_read_cannot_be_read_in_the_copy_either(string file, string content)
    {
        var (input, target) = (Supplied(file, content), Path.Combine(_folder.Path, "copy-" + file));
        PersonalCopy.Write(input, target, ["email"], Key);
        Assert.DoesNotContain("zoe", File.ReadAllText(target), StringComparison.Ordinal);
        Assert.Equal(Rows(input.Path, input, "email"), Rows(target, input, "email"));
    }

    [Theory]
    [InlineData("people.csv", "email\n\"zoe\u0001\"\n")]
    [InlineData("people.json", "[{\"email\":\"zoe\\u0001\"}]")]
    public void A_control_character_that_no_key_may_hold_stays_in_the_copy(string file, string content)
    {
        var (input, target) = (Supplied(file, content), Path.Combine(_folder.Path, "copy-" + file));
        PersonalCopy.Write(input, target, ["email"], Key);
        var cell = Assert.Single(Rows(target, input, "email"));
        Assert.StartsWith("\u0001hmac-sha256:", cell, StringComparison.Ordinal);
        Assert.NotNull(InputTable.Key(cell, []).Fault);
    }

    [Fact]
    public void A_key_that_can_be_guessed_is_refused() => Assert.Throws<ArgumentException>(() =>
        PersonalCopy.Write(Supplied("people.csv", "id,email\n"), Path.Combine(_folder.Path, "copy"), ["email"], Key.AsMemory(0, 31)));

    [Fact]
    public void A_CSV_file_keeps_every_other_cell_and_its_records()
    {
        var copy = Copy(
            Supplied("people.csv", "\uFEFFid,email,note\r\n1, zoe@example.org\u200b,\"a \"\"b\"\", c\nd\"\r\n2,,\r\n3,zoe@example.org,x\r\n"), "email");
        Assert.Equal($"id,email,note\n1,{Digest("zoe@example.org")},\"a \"\"b\"\", c\nd\"\n2,,\n3,{Digest("zoe@example.org")},x\n", copy);
    }

    [Fact]
    public void An_NDJSON_file_keeps_every_other_value_as_it_is_written()
    {
        var copy = Copy(
            Supplied(
                "people.ndjson",
                "{\"id\":1.50,\"email\":\"zo\\u0065\",\"more\":{\"email\":\"stays\"}}\n\n{\"email\":null}\n{\"email\":7}\n{\"email\":[\"zoe\"]}\n"),
            "email");
        Assert.Equal(
            $"{{\"id\":1.50,\"email\":\"{Digest("zoe")}\",\"more\":{{\"email\":\"stays\"}}}}\n\n{{\"email\":null}}\n{{\"email\":\"{Digest("7")}\"}}\n"
                + "{\"email\":[]}\n",
            copy);
    }

    [Theory]
    [InlineData("people.csv", "id,email,note\n1,zoe@example.org,\"x, y\"\n,,\n")]
    [InlineData("people.ndjson", "{\"email\":\"zoe@example.org\",\"id\":\"1\"}\n")]
    [InlineData("people.csv", "id,email\n1,\"zoe\u0001@example.org\"\n")]
    [InlineData("people.json", "[{\"email\":{\"a\":\"zoe\"}},{\"email\":[\"zoe\"]},{\"email\":\"zoe\\ud800\"},{\"email\":\"zoe\\u0000\"}]")]
    public void A_copy_of_a_copy_is_equal_to_it_so_that_a_bundle_can_be_done_again(string file, string content)
    {
        var once = Copy(Supplied(file, content), "email");
        Assert.Equal(once, Encoding.UTF8.GetString(Bytes(Supplied("again-" + file, once), RandomNumberGenerator.GetBytes(32), "email")));
    }

    [Fact]
    public void A_JSON_file_keeps_every_byte_but_the_values()
    {
        const string Content = """
            {
              "made": "2026-01-01",
              "items": [
                { "id": 1.50, "email" : "zo\u0065", "more": { "email": "stays" } },
                { "email": null }, { "email":7 },
                { "id": "x", "email": ["zoe"] }
              ]
            }

            """;
        var copy = Copy(
            Supplied("people.json", "\uFEFF" + Content) with { Layout = new(null, "/items/*") }, "email");
        Assert.Equal(
            Content
                .Replace("\"zo\\u0065\"", $"\"{Digest("zoe")}\"", StringComparison.Ordinal)
                .Replace(":7 ", $":\"{Digest("7")}\" ", StringComparison.Ordinal)
                .Replace("[\"zoe\"]", "[]", StringComparison.Ordinal),
            copy);
    }

    [Fact]
    public void The_names_of_members_are_values_where_the_key_is_personal()
    {
        var input = Supplied("people.json", "{ \"zoe\" : { \"id\": 1 },\n \"a\\u006ea\":{ \"id\": 2 } }") with { Layout = new(null, "/*") };
        Assert.Equal($"{{ \"{Digest("zoe")}\" : {{ \"id\": 1 }},\n \"{Digest("ana")}\":{{ \"id\": 2 }} }}", Copy(input, "_key"));

        var one = input with { Layout = new(null, "/zoe") };
        const string Fault = "'_key' is personal, but 'rows' (/zoe) names the one member itself; end it with *";
        var planned = new PlannedInput("k", "people", [new("_key", ColumnType.Text)], []) { Personal = ["_key"] };
        Assert.Contains($"inputs/people.json: {Fault}", InputCheck.Of([planned], [one], allowSecrets: true, CancellationToken.None).Faults);
        Assert.DoesNotContain("zoe", Refused(one, "_key"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_JSON_file_larger_than_a_buffer_is_copied_whole()
    {
        var note = new string('x', 40);
        var rows = string.Join(",\n", Enumerable.Range(0, 4000).Select(n => $$"""{"n":{{n}},"email":"u{{n}}@example.org","note":"{{note}}"}"""));
        var copy = Copy(Supplied("people.json", $"[{rows}]"), "email");
        Assert.Equal(
            $"[{System.Text.RegularExpressions.Regex.Replace(rows, "u[0-9]+@example.org", m => Digest(m.Value))}]", copy);
    }

    [Fact]
    public void A_workbook_keeps_the_sheet_that_is_read_and_none_of_what_may_hold_the_values_elsewhere()
    {
        const string Sheet = """
            <cols><col min="3" max="3" hidden="1"/></cols><sheetData>
            <row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" t="inlineStr"><is><t>day</t></is></c>
                <c r="D2" t="str"><v>n</v></c></row>
            <row r="3"><c r="A3" t="s"><v>3</v></c><c r="B3" t="s"><v>2</v></c><c r="C3" s="1"><v>46000</v></c><c r="D3"><f>1+1</f><v>2</v></c></row>
            <row r="5" hidden="1"><c r="B5" t="str"><f>"zoe"&amp;"@example.org"</f><v>zoe@example.org</v></c><c r="D5" t="e"><v>#N/A</v></c></row>
            <row r="6"><c r="A6"><v>7</v></c><c r="B6" s="1"><v>46000</v></c></row>
            </sheetData><autoFilter ref="B2"><filterColumn colId="0"><filters><filter val="zoe@example.org"/></filters></filterColumn></autoFilter>
            <mergeCells count="1"><mergeCell ref="C3:C4"/></mergeCells>
            """;
        var input = Supplied("people.xlsx", WrittenWorkbook.Of(
            [("People", "", Sheet), ("Old", " state=\"hidden\"", "<sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>2</v></c></row></sheetData>")],
            "<si><t>id</t></si><si><t>email</t></si><si><t>zoe@example.org</t></si><si><t xml:space=\"preserve\"> a_x000A_&lt;b _x005F_x0041_ </t></si>"));
        var copy = Bytes(input, Key, "email");
        Assert.DoesNotContain("zoe", Encoding.Latin1.GetString(copy), StringComparison.Ordinal);

        var path = Path.Combine(_folder.Path, "read.xlsx");
        File.WriteAllBytes(path, copy);
        string[] columns = ["id", "email", "n"];
        var (was, now) = (Rows(input.Path, input, columns), Rows(path, input, columns));
        var zoe = Digest("zoe@example.org");
        Assert.Equal(was.Select(r => r.Replace("zoe@example.org", zoe, StringComparison.Ordinal)).SkipLast(1), now.SkipLast(1));
        Assert.Equal($" a\n<b _x0041_ |{zoe}|2", now[0]);
        Assert.Equal("7|holds the error #VALUE!|NULL", now[^1]);

        string[] Remarks(string of)
        {
            using var file = InputFile.Open(
                of, "people.xlsx", input.Layout, [new("id", ColumnType.Text), new("day", ColumnType.Date), new("n", ColumnType.Text)]);
            return [.. file.Records().Select(r => $"{r.Line} {r.Cells[1].Text}"), .. file.Remarks];
        }
        Assert.Equal(Remarks(input.Path), Remarks(path));
        Assert.Contains("3 2025-12-09", Remarks(path));

        Assert.Equal(copy, Bytes(Supplied("again.xlsx", copy), RandomNumberGenerator.GetBytes(32), "email"));
    }

    [Fact]
    public void A_Parquet_file_keeps_its_other_columns_with_their_types()
    {
        const string Select = "SELECT n, CASE WHEN n = 3 THEN NULL WHEN n = 4 THEN '' ELSE 'u' || n || '@example.org' END AS email, "
            + "n::DECIMAL(38,18) AS amount, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS at, [n] AS list FROM range(1, 3000) t(n)";
        var input = Supplied("people.parquet", Parquet(Path.Combine(_folder.Path, "made.parquet"), Select));
        var copy = Bytes(input, Key, "email");
        Assert.DoesNotContain("@example.org", Encoding.Latin1.GetString(copy), StringComparison.Ordinal);

        var path = Path.Combine(_folder.Path, "read.parquet");
        File.WriteAllBytes(path, copy);
        string[] columns = ["n", "email", "amount", "at"];
        var was = Rows(input.Path, input, columns).Select(r => System.Text.RegularExpressions.Regex.Replace(r, "u[0-9]+@example.org", m => Digest(m.Value)));
        Assert.Equal(was, Rows(path, input, columns));
        Assert.Equal(copy, Bytes(Supplied("again.parquet", copy), RandomNumberGenerator.GetBytes(32), "email"));
    }

    [Fact]
    public void Values_that_differ_anywhere_have_different_digests()
    {
        string[] values = ["zoe", "Zoe", "zoe\u0001", "zöe", "zo e"];
        var copy = Copy(Supplied("people.csv", "email\n" + string.Concat(values.Select(v => v + "\n"))), "email");
        Assert.Equal(values.Length + 1, copy.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
    }

    [Fact]
    public void A_column_that_one_control_calls_personal_is_so_for_all_that_read_the_file()
    {
        ImmutableArray<PlannedInput> planned = [Planned(), Planned("email"), Planned("id") with { Input = "others" }];
        Assert.Equal(["email"], PersonalCopy.ColumnsOf("people", planned));
    }
}
