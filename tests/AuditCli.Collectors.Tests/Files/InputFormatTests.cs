using System.Collections.Immutable;
using System.Text;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Tests;
using DuckDB.NET.Data;

namespace AuditCli.Collectors.Tests.Files;

/// <summary>Checks that supplied files of other formats than CSV give the rows that CSV would, and that what cannot be read says where.</summary>
public sealed class InputFormatTests : IDisposable
{
    private static readonly ImmutableArray<Column> Columns =
    [
        new("id", ColumnType.Text), new("n", ColumnType.Integer), new("amount", ColumnType.Decimal), new("on", ColumnType.Date),
        new("ok", ColumnType.Boolean), new("at", ColumnType.Timestamp),
    ];

    /// <summary>2 to the power of 256, less 1.</summary>
    private const string Most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    private static readonly ImmutableArray<Column> Exact =
        [new("id", ColumnType.Text), new("amount", ColumnType.Decimal) { Scale = 18 }, new("supply", ColumnType.Whole)];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static PlannedInput Planned(params ImmutableArray<Column> columns) => new("k", "list", columns, []);

    private SuppliedInput Supplied(string file, string? content = null, InputLayout? layout = null)
    {
        if (content is not null)
            _folder.Write(file, content);
        return new("list", Path.Combine(_folder.Path, file), null, $"inputs/{file}") { Layout = layout ?? InputLayout.Whole };
    }

    private static string[] Rows(SuppliedInput input, params ImmutableArray<Column> columns) =>
        [.. new InputReading(Planned(columns), input).Rows(input.Path).Select(r => r.Row.GetRawText())];

    private static (string[] Faults, string[] Remarks) Check(SuppliedInput input, params ImmutableArray<Column> columns)
    {
        var found = InputCheck.Of([Planned(columns)], [input], allowSecrets: false, CancellationToken.None);
        return ([.. found.Faults], [.. found.Remarks]);
    }

    [Theory]
    [InlineData("list.json", "", null, "inputs/list.json:1: is not JSON: ")]
    [InlineData("list.json", "[{\"id\":\"a\"},\n{\"id\":", null, "inputs/list.json:1: is not JSON: ")]
    [InlineData("list.json", "[{\"id\":\"a\"}] x", null, "inputs/list.json:1: is not JSON: 'x' is invalid after a single JSON value. Expected end of data.")]
    [InlineData("list.json", "{\"items\":[]}", null, "inputs/list.json:1: the document is an object; say with 'rows' where its rows are, such as /items/*")]
    [InlineData("list.json", "\"text\"", null,
        "inputs/list.json:1: / is a text, in which '*' of 'rows' finds nothing")]
    [InlineData("list.json", "{\"a\":1,\n\"b\":[]}", "/items/*", "inputs/list.json:1: / has no member 'items', which 'rows' names")]
    [InlineData("list.json", "{\"items\":{\"a\":7}}", "/items/*", "inputs/list.json:1: a row is a number and must be an object")]
    [InlineData("list.json", "{\"items\":[],\n\"items\":[]}", "/items/*", "inputs/list.json:2: / has the member 'items' twice")]
    [InlineData("list.json", "[{\"id\":\"a\",\n\"id\":\"b\"}]", null,
        "inputs/list.json:1: is not JSON: Duplicate property 'id' encountered during deserialization.")]
    [InlineData("list.json", "[{\"Id\":\"a\"}]", null, "inputs/list.json: no row has 'id'; the first row has 'Id'")]
    [InlineData("list.ndjson", "{\"id\":\"a\"}\n[1]\n", null, "inputs/list.ndjson:2: a row is an array and must be an object")]
    [InlineData("list.ndjson", "{\"id\":\"a\"}\n{\"id\"\n", null, "inputs/list.ndjson:2: is not JSON: ")]
    [InlineData("list.jsonl", "{\"name\":\"a\"}\n", null, "inputs/list.jsonl: no row has 'id'; the first row has 'name'")]
    [InlineData("list.parquet", "PAR1", null, "inputs/list.parquet: cannot be searched for credentials: inputs/list.parquet: is not a Parquet file")]
    [InlineData("list.xlsx", "id\n1\n", null, "inputs/list.xlsx: is not an .xlsx workbook")]
    public void What_is_not_such_a_table_is_a_fault_with_its_place(string file, string content, string? rows, string fault) =>
        Assert.StartsWith(
            fault, Assert.Single(Check(Supplied(file, content, new(null, rows)), new Column("id", ColumnType.Text)).Faults), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"id\":{\"a\":1}}", "id is an object, and a column holds a text, number or boolean")]
    [InlineData("{\"id\":\"\\ud800\"}", "id is not well-formed Unicode")]
    [InlineData("{\"id\":\"a\",\"n\":1.0}", "n is not a whole number of 64 bits")]
    [InlineData("{\"id\":\"a\",\"n\":9223372036854775808}", "n is not a whole number of 64 bits")]
    public void A_value_that_does_not_fit_its_column_is_named_by_line_and_leaves_the_table_incomplete(string row, string misfit)
    {
        var (faults, remarks) = Check(
            Supplied("list.ndjson", "{\"id\":\"first\",\"n\":1}\n" + row + "\n"), new Column("id", ColumnType.Text), new Column("n", ColumnType.Integer));
        Assert.Empty(faults);
        Assert.Equal($"inputs/list.ndjson:2: {misfit}; tests that depend on it are inconclusive", Assert.Single(remarks));
    }

    [Fact]
    public void The_same_table_is_read_from_each_format()
    {
        var csv = Supplied(
            "list.csv", "id,n,amount,on,ok,at\n007,9223372036854775807,45000.10,2026-01-31,true,2026-01-31T09:00:00Z\nb,,-0.000000001,,FALSE,\n");
        var expected = Rows(csv, Columns);
        Assert.Equal(
            "{\"id\":\"007\",\"n\":9223372036854775807,\"amount\":45000.10,\"on\":\"2026-01-31\",\"ok\":true,\"at\":\"2026-01-31T09:00:00Z\"}", expected[0]);

        string[] objects =
        [
            "{\"id\":\"007\",\"n\":9223372036854775807,\"amount\":45000.10,\"on\":\"2026-01-31\",\"ok\":true,\"at\":\"2026-01-31T09:00:00Z\",\"more\":[1]}",
            "{\"id\":\"b\",\"n\":null,\"amount\":-0.000000001,\"ok\":false}",
        ];
        Assert.Equal(expected, Rows(Supplied("list.json", $"[{string.Join(",\n", objects)}]"), Columns));
        Assert.Equal(expected, Rows(Supplied("list.ndjson", string.Join("\r\n", objects) + "\n\n"), Columns));
        var nested = $"\uFEFF{{\"skip\":[[{{}}]],\"a/b\":{{\"x\":[{objects[0]}],\"y\":[{objects[1]}]}}}}";
        Assert.Equal(expected, Rows(Supplied("nested.json", nested, new(null, "/a~1b/*/*")), Columns));

        var parquet = Parquet("list", """
            SELECT '007' AS id, 9223372036854775807::BIGINT AS n, 45000.10::DECIMAL(18,2) AS amount, DATE '2026-01-31' AS "on", true AS ok,
                TIMESTAMPTZ '2026-01-31 10:00:00+01' AS at, [1] AS more
            """);
        // Parquet keeps six digits of a second, and each timestamp in a table is written in one way.
        Assert.Equal(expected[0].Replace("09:00:00Z", "09:00:00.000000Z", StringComparison.Ordinal), Assert.Single(Rows(parquet, Columns)));
    }

    [Theory]
    [InlineData("list.csv", "id,amount,supply\nb,1.0000000000000000001,1e3\n", "inputs/list.csv:2")]
    [InlineData("list.ndjson", "{\"id\":\"b\",\"amount\":1.0000000000000000001,\"supply\":1e3}\n", "inputs/list.ndjson:1")]
    [InlineData("list.json", "[{\"id\":\"b\",\"amount\":\"100000000000000000000\",\"supply\":5.0}]", "inputs/list.json:1")]
    [InlineData("list.csv", "id,amount,supply\nb,\"1,000\",007\n", "inputs/list.csv:2")]
    public void A_number_with_more_digits_than_its_column_does_not_fit_and_is_never_rounded(string file, string content, string place)
    {
        var (faults, remarks) = Check(Supplied(file, content), Exact);
        Assert.Empty(faults);
        Assert.Equal(
            $"{place}: amount is not a decimal number of at most 20 digits before the point and 18 after it, and 1 more cell; "
                + "tests that depend on them are inconclusive",
            Assert.Single(remarks));
        Assert.Equal(["{\"id\":\"b\"}"], Rows(Supplied(file), Exact));
    }

    [Fact]
    public void The_same_exact_numbers_are_read_from_each_format_digit_for_digit()
    {
        string[] expected =
        [
            $"{{\"id\":\"a\",\"amount\":\"12345678901234567890.123456789012345678\",\"supply\":\"{Most}\"}}",
            "{\"id\":\"b\",\"amount\":\"-1.5\",\"supply\":\"-9007199254740993\"}",
            "{\"id\":\"c\"}",
        ];
        Assert.Equal(
            expected,
            Rows(
                Supplied("list.csv", $"id,amount,supply\na,12345678901234567890.123456789012345678,{Most}\nb,-1.500,-9007199254740993\nc,,\n"),
                Exact));
        string[] objects =
        [
            $"{{\"id\":\"a\",\"amount\":12345678901234567890.123456789012345678,\"supply\":{Most}}}",
            "{\"id\":\"b\",\"amount\":\"-1.5\",\"supply\":\"-9007199254740993\"}",
            "{\"id\":\"c\",\"amount\":null}",
        ];
        Assert.Equal(expected, Rows(Supplied("list.ndjson", string.Join('\n', objects)), Exact));
        Assert.Equal(expected, Rows(Supplied("list.json", $"[{string.Join(',', objects)}]"), Exact));
        Assert.Equal(expected, Rows(
            Parquet("list", $"""
                SELECT * FROM (VALUES ('a', 12345678901234567890.123456789012345678::DECIMAL(38,18), '{Most}'),
                    ('b', -1.5, '-9007199254740993'), ('c', NULL, NULL)) t(id, amount, supply)
                """),
            Exact));
    }

    [Fact]
    public void A_column_of_doubles_in_a_parquet_file_holds_no_exact_number()
    {
        var (faults, remarks) = Check(Parquet("list", "SELECT 'a' AS id, 0.1::DOUBLE AS amount, 5::BIGINT AS supply"), Exact);
        Assert.Empty(faults);
        Assert.Equal(
            "inputs/list.parquet:1: amount is a double, which rounds; supply it as a decimal, a whole number or a text; "
                + "tests that depend on it are inconclusive",
            Assert.Single(remarks));
    }

    [Fact]
    public void A_stated_total_of_exact_numbers_is_compared_to_the_last_digit()
    {
        var csv = Supplied("list.csv", $"id,amount,supply\na,0.000000000000000001,{Most}\nb,0.000000000000000002,1\n");
        var more = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        var totals = ImmutableSortedDictionary<string, string>.Empty.Add("amount", "0.000000000000000003").Add("supply", more);
        Assert.Empty(Check(csv with { StatedTotals = totals }, Exact).Remarks);
        Assert.Equal(
            $"inputs/list.csv: a total of {Most} was stated for supply, but it is {more}; tests that depend on it are inconclusive",
            Assert.Single(Check(csv with { StatedTotals = totals.SetItem("supply", Most) }, Exact).Remarks));
    }

    [Fact]
    public void The_name_of_a_member_is_the_column_key()
    {
        var dbt = Supplied("manifest.json", "{\"nodes\":{\"model.a\":{\"kind\":\"model\"},\"test.b\":{\"kind\":\"test\"}}}", new(null, "/nodes/*"));
        Assert.Equal(
            ["{\"_key\":\"model.a\",\"kind\":\"model\"}", "{\"_key\":\"test.b\",\"kind\":\"test\"}"],
            Rows(dbt, new Column("_key", ColumnType.Text), new Column("kind", ColumnType.Text)));
    }

    [Fact]
    public void A_document_larger_than_any_buffer_is_read_row_by_row()
    {
        var large = new StringBuilder("{\"before\":[");
        for (var i = 0; i < 50_000; i++)
            large.Append(i == 0 ? "" : ",").Append("{\"a\":\"").Append('x', 50).Append("\"}");
        large.Append("],\"items\":[");
        for (var i = 0; i < 20_000; i++)
            large.Append(i == 0 ? "" : ",\n").Append("{\"id\":\"").Append(i).Append("\",\"pad\":\"").Append('y', i % 300).Append("\"}");
        var rows = Rows(Supplied("list.json", large.Append("]}").ToString(), new(null, "/items/*")), new Column("id", ColumnType.Text));
        Assert.Equal(20_000, rows.Length);
        Assert.Equal("{\"id\":\"19999\"}", rows[^1]);
    }

    [Theory]
    [InlineData("struct_pack(a := 1)", "id", "inputs/list.parquet: column 'id' is nested (STRUCT(a INTEGER)), and a column holds one value")]
    [InlineData("1", "other", "inputs/list.parquet: no column 'id'; none of its 1 column has a declared name: is there a header?")]
    public void A_column_of_a_parquet_file_that_cannot_be_read_is_a_fault(string value, string name, string fault) => Assert.StartsWith(
        fault, Assert.Single(Check(Parquet("list", $"SELECT {value} AS {name}"), new Column("id", ColumnType.Text)).Faults), StringComparison.Ordinal);

    [Theory]
    [InlineData("TIMESTAMP '2026-01-31 09:00:00'", "is a time without a time zone")]
    [InlineData("'\\xAA'::BLOB", "is a blob, which inputs do not have")]
    public void A_value_of_a_parquet_file_that_inputs_do_not_have_does_not_fit(string value, string misfit)
    {
        var (faults, remarks) = Check(Parquet("list", $"SELECT {value} AS id"), new Column("id", ColumnType.Text));
        Assert.Empty(faults);
        Assert.Equal($"inputs/list.parquet:1: id {misfit}; tests that depend on it are inconclusive", Assert.Single(remarks));
    }

    [Fact]
    public void A_credential_in_the_compressed_pages_of_a_parquet_file_is_found()
    {
        var parquet = Parquet("list", "SELECT 'ghp_16C7e42F292c6912E7710c838347Ae178B4a' AS id");
        Assert.StartsWith(
            "inputs/list.parquet:1: holds what looks like a credential (column id)",
            Assert.Single(Check(parquet, new Column("id", ColumnType.Text)).Faults),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_engine_that_reads_parquet_opens_no_other_file()
    {
        var other = Parquet("other", "SELECT 1 AS id");
        using var opened = ParquetInput.Open(Parquet("list", "SELECT 1 AS id").Path, "list.parquet", [new("id", ColumnType.Text)]);
        using var connection = opened.Connection.CreateCommand();
        string[] refused = [$"SELECT * FROM read_parquet('{other.Path}')", "SET enable_external_access=true", $"COPY (SELECT 1) TO '{other.Path}.csv'"];
        foreach (var sql in refused)
        {
            connection.CommandText = sql;
            Assert.ThrowsAny<DuckDBException>(() => connection.ExecuteNonQuery());
        }
    }

    [Theory]
    [InlineData("45000.15", null)]
    [InlineData("45000.150000000", null)]
    [InlineData("45000.14", "inputs/list.csv: a total of 45000.14 was stated for amount, but it is 45000.15; tests that depend on it are inconclusive")]
    public void A_stated_total_is_compared_exactly(string stated, string? remark)
    {
        var input = Supplied("list.csv", "amount\n45000.10\n0.06\n-0.01\n") with { StatedTotals = Total(stated) };
        var (faults, remarks) = Check(input, new Column("amount", ColumnType.Decimal));
        Assert.Empty(faults);
        Assert.Equal(remark is null ? [] : [remark], remarks);
    }

    [Fact]
    public void A_total_of_a_column_that_no_control_reads_as_a_number_is_a_fault()
    {
        var input = Supplied("list.csv", "amount\n1\n") with { StatedTotals = Total("1") };
        Assert.Equal(
            "inputs/list.csv: stated_totals names 'amount', which no control reads as a number",
            Assert.Single(Check(input, new Column("amount", ColumnType.Text)).Faults));
    }

    private static ImmutableSortedDictionary<string, string> Total(string stated) =>
        ImmutableSortedDictionary<string, string>.Empty.Add("amount", stated);

    private SuppliedInput Parquet(string name, string query)
    {
        var input = Supplied($"{name}.parquet");
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SET TimeZone='UTC'; COPY ({query}) TO '{input.Path}' (FORMAT parquet)";
        command.ExecuteNonQuery();
        return input;
    }
}
