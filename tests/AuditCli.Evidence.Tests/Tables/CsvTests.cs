using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence.Tables;

namespace AuditCli.Evidence.Tests.Tables;

public sealed class CsvTests
{
    [Theory]
    [InlineData("", "leavers.csv:1: the file is empty")]
    [InlineData("a,a\n1,2\n", "leavers.csv:1: columns 1 and 2 have the same name")]
    [InlineData("a,,b\n1,2,3\n", "leavers.csv:1: column 2 has no name")]
    [InlineData(",,\n1,2,3\n", "leavers.csv:1: no column has a name")]
    [InlineData("a,\n1,2\n", "leavers.csv:2: field 2 has a value, and the header has no name for its column")]
    [InlineData("a,b\n1\n", "leavers.csv:2: 1 fields where the header has 2")]
    [InlineData("a,b\n1,2\n1,2,3\n", "leavers.csv:3: 3 fields where the header has 2")]
    [InlineData("a,b\n1,2\n\n3,4\n", "leavers.csv:3: an empty line between rows")]
    [InlineData("a,b\n1,2\n,\n\n3,4\n", "leavers.csv:4: an empty line between rows")]
    [InlineData("\"a\";\"b\"\n1;2\n", "leavers.csv:1: columns are separated by semicolons")]
    [InlineData("PK\u0003\u0004x", "leavers.csv:1: this is a workbook or a zip archive")]
    [InlineData("a,b\n\"1\n2\",3\n4\n", "leavers.csv:4: 1 fields")]
    [InlineData("a,b\n1,\"2\n3\n", "leavers.csv:2: a quoted field begins here and never ends")]
    [InlineData("a,b\n1,2\"3\n", "leavers.csv:2: a quotation mark inside a field")]
    [InlineData("a,b\n1,\"2\" \n", "leavers.csv:2: something follows a closing quotation mark")]
    [InlineData("a,b\n1,2\r3,4\n", "leavers.csv:2: a carriage return without a line feed")]
    public void What_is_not_RFC_4180_is_an_error_with_file_and_line(string csv, string message) =>
        Assert.StartsWith(message, Assert.Throws<InvalidDataException>(() => Read(Encoding.UTF8.GetBytes(csv))).Message, StringComparison.Ordinal);

    [Fact]
    public void Bytes_that_are_not_UTF8_are_an_error_with_their_line()
    {
        byte[] csv = [.. "a,b\n1,2\nx,M"u8, 0xFC, .. "ller\n"u8];
        Assert.StartsWith("leavers.csv:3: not UTF-8", Assert.Throws<InvalidDataException>(() => Read(csv)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", false)]
    public void UTF_16_is_named_with_and_without_its_mark(string encoding, bool marked)
    {
        var utf16 = Encoding.GetEncoding(encoding);
        byte[] csv = [.. marked ? utf16.GetPreamble() : [], .. utf16.GetBytes("a,b\r\n1,2\r\n")];
        Assert.StartsWith("leavers.csv:1: this is UTF-16", Assert.Throws<InvalidDataException>(() => Read(csv)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a;b\n1;2\n", "leavers.csv:1: columns are separated by semicolons")]
    [InlineData("a\tb\n1\t2\n", "leavers.csv:1: columns are separated by tabs")]
    [InlineData("sep=;\na;b\n1;2\n", "leavers.csv:1: columns are separated by semicolons")]
    public void Another_separator_is_named_where_the_columns_are_not_found(string csv, string message) =>
        Assert.StartsWith(
            message,
            Assert.Throws<InvalidDataException>(() => Rows(csv, new Column("a", ColumnType.Text), new Column("b", ColumnType.Text))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("a,b\n1,2\n,\n,\n", 2, 0)]
    [InlineData("a,b\n1,2\n\n\n", 2, 0)]
    [InlineData("a,b\r\n1,2\r\n,\r\n", 1, 0)]
    [InlineData("a,b,,\n1,2,,\n,,,\n", 1, 2)]
    [InlineData("a,b\n1,2", 0, 0)]
    public void What_a_spreadsheet_leaves_at_the_end_and_at_the_right_is_left_out_and_counted(string csv, long rows, int columns)
    {
        using var reader = new CsvReader(new MemoryStream(Encoding.UTF8.GetBytes(csv)), "leavers.csv");
        Assert.Equal("1,2", string.Join(',', Assert.Single(reader.Records()).Fields));
        Assert.Equal((rows, columns), (reader.EmptyAtEnd, reader.UnnamedColumns));
    }

    [Fact]
    public void An_empty_row_before_another_row_is_a_row()
    {
        var records = Read([.. "a,b\n1,2\n,\n,\n3,4\n,\n"u8]);
        Assert.Equal([(1L, 2L, "1"), (2L, 3L, ""), (3L, 4L, ""), (4L, 5L, "3")], records.Select(r => (r.Number, r.Line, r.Fields[0])));
    }

    [Theory]
    [InlineData("ana\u00a0", "ana")]
    [InlineData("\uFEFFana", "ana")]
    [InlineData("a\u200bna", "ana")]
    [InlineData("ana\t", "ana")]
    [InlineData(" \u202eana ", "ana")]
    [InlineData("User\u00a0ana", "User ana")]
    [InlineData("\u3164a\uFE0Fna\U000E0041", "ana")]
    public void What_nobody_sees_in_a_cell_is_taken_out_and_the_column_is_named(string cell, string seen)
    {
        var row = Keyed(cell);
        Assert.Equal(seen, row.Row.GetProperty("a").GetString());
        Assert.Equal("a", Assert.Single(row.Cleaned));
        Assert.Empty(row.Misfits);
    }

    [Fact]
    public void A_header_that_ends_with_a_no_break_space_names_its_column() =>
        Assert.Equal("1", Rows("\uFEFFa\u00a0,b\n1,2\n", new Column("a", ColumnType.Text))[0].Row.GetProperty("a").GetString());

    [Theory]
    [InlineData("al\0ice", "holds the control character U+0000")]
    [InlineData("al\u001bice", "holds the control character U+001B")]
    [InlineData("al\u0085ice", "holds the control character U+0085")]
    public void A_control_character_in_a_cell_does_not_fit(string cell, string why)
    {
        var row = Keyed(cell);
        Assert.Equal(new Misfit("a", why), Assert.Single(row.Misfits));
        Assert.False(row.Row.TryGetProperty("a", out _));
    }

    [Theory]
    [InlineData("AWS", "aws")]
    [InlineData("aws\u00a0", "aws")]
    [InlineData("amazon", null)]
    public void A_closed_column_takes_its_words_in_any_case_and_nothing_else(string cell, string? word)
    {
        var closed = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("store", ["aws", "gcp"]);
        using var reader = new CsvReader(new MemoryStream(Encoding.UTF8.GetBytes($"store\n{cell}\n")), "map.csv");
        var row = Assert.Single(Rows(reader, [new("store", ColumnType.Text)], closed));
        Assert.Equal(word, row.Row.TryGetProperty("store", out var value) ? value.GetString() : null);
        Assert.Equal(word is null ? ["is not one of aws, gcp"] : [], row.Misfits.Select(m => m.Description));
    }

    [Fact]
    public void Quotes_line_ends_and_a_byte_order_mark_are_read()
    {
        var records = Read([0xEF, 0xBB, 0xBF, .. "a,b\r\n1,\"x \"\"y\"\", \r\nz\"\r\n,\r\n\"\",Grüße 世界"u8]);
        Assert.Equal([(1, 2), (2, 4), (3, 5)], records.Select(r => ((int)r.Number, (int)r.Line)));
        Assert.Equal(["1", "x \"y\", \r\nz", "", "", "", "Grüße 世界"], records.SelectMany(r => r.Fields));
    }

    [Fact]
    public void Any_fields_survive_quoting()
    {
        var random = new Random(4);
        const string letters = "ab,\"\r\n é世 ;\t";
        for (var round = 0; round < 300; round++)
        {
            var fields = Enumerable.Range(0, 3 * random.Next(1, 6))
                .Select(_ => string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => letters[random.Next(letters.Length)]))).ToArray();
            var csv = "x,y,z\r\n" + string.Concat(fields.Chunk(3).Select(r =>
                string.Join(',', r.Select(f => "\"" + f.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"")) + "\r\n"));
            csv += "x,y,z\r\n";
            Assert.Equal([.. fields, "x", "y", "z"], Read(Encoding.UTF8.GetBytes(csv)).SelectMany(r => r.Fields));
        }
    }

    [Fact]
    public void A_file_larger_than_any_buffer_streams()
    {
        var csv = "id,name\n" + string.Concat(Enumerable.Range(0, 50_000).Select(n => $"{n},\"name {n}\"\n"));
        var expected = 0;
        foreach (var record in Read(Encoding.UTF8.GetBytes(csv)))
            Assert.Equal((expected + 2L, $"name {expected++}"), (record.Line, record.Fields[1]));
        Assert.Equal(50_000, expected);
    }

    [Fact]
    public void A_declared_column_that_is_missing_is_named_beside_the_header()
    {
        var error = Assert.Throws<InvalidDataException>(() => Rows("id,left_on\n", new Column("arn", ColumnType.Text), new Column("id", ColumnType.Text)));
        Assert.Equal("leavers.csv:1: no column 'arn'; the header has 2 columns, of which the declared ones are 'id'", error.Message);
    }

    [Theory]
    [InlineData(ColumnType.Integer, "1.5")]
    [InlineData(ColumnType.Integer, "007")]
    [InlineData(ColumnType.Integer, " 7")]
    [InlineData(ColumnType.Integer, "1,000")]
    [InlineData(ColumnType.Decimal, "1e5")]
    [InlineData(ColumnType.Decimal, ".5")]
    [InlineData(ColumnType.Decimal, "5.")]
    [InlineData(ColumnType.Boolean, "yes")]
    [InlineData(ColumnType.Date, "30/09/2026")]
    [InlineData(ColumnType.Timestamp, "2026-09-30 10:00")]
    public void A_cell_that_does_not_fit_is_a_misfit_with_its_line(ColumnType type, string cell)
    {
        var row = Rows($"a,b\n,first\n\"{cell}\",second\n", new Column("a", type), new Column("b", ColumnType.Text))[1];
        Assert.Equal(3, row.Line);
        Assert.Equal("a", Assert.Single(row.Misfits).Column);
        Assert.StartsWith("is not ", row.Misfits[0].Description, StringComparison.Ordinal);
        Assert.Equal("{\"b\":\"second\"}", row.Row.GetRawText());
    }

    [Fact]
    public void Cells_become_typed_members_and_empty_ones_are_absent()
    {
        var rows = Rows("ignored,t,i,d,b,day,at\nx,\" a \"\"q\"\"\",-7,10.50,TRUE,2026-09-30,2026-09-30T10:00:00+02:00\n,,,,,,\nx,,,,,,\n",
            new("t", ColumnType.Text), new("i", ColumnType.Integer), new("d", ColumnType.Decimal),
            new("b", ColumnType.Boolean), new("day", ColumnType.Date), new("at", ColumnType.Timestamp));
        Assert.All(rows, r => Assert.Empty(r.Misfits));
        Assert.Equal("""{"t":" a \"q\"","i":-7,"d":10.50,"b":true,"day":"2026-09-30","at":"2026-09-30T10:00:00+02:00"}""", rows[0].Row.GetRawText());
        Assert.Equal("{}", rows[1].Row.GetRawText());
    }

    [Theory]
    [InlineData(" ana\u00a0")]
    [InlineData("red\u001b[31m\u202e\0")]
    public void A_text_that_is_no_key_is_taken_as_it_is(string cell) =>
        Assert.Equal(cell, Rows($"a,b\n\"{cell}\",1\n", new Column("a", ColumnType.Text))[0].Row.GetProperty("a").GetString());

    private static InputRow Keyed(string cell)
    {
        using var reader = new CsvReader(new MemoryStream(Encoding.UTF8.GetBytes($"a,b\n\"{cell}\",1\n")), "leavers.csv");
        var keys = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("a", []);
        return Assert.Single(Rows(reader, [new("a", ColumnType.Text), new("b", ColumnType.Text)], keys));
    }

    private static ImmutableArray<InputRow> Rows(string csv, params ImmutableArray<Column> columns)
    {
        using var reader = new CsvReader(new MemoryStream(Encoding.UTF8.GetBytes(csv)), "leavers.csv");
        return [.. Rows(reader, columns)];
    }

    private static List<CsvRecord> Read(byte[] csv)
    {
        using var reader = new CsvReader(new MemoryStream(csv), "leavers.csv");
        return [.. reader.Records()];
    }

    private static IEnumerable<InputRow> Rows(
        CsvReader csv, ImmutableArray<Column> columns, IReadOnlyDictionary<string, ImmutableArray<string>>? keys = null) =>
        new InputTable(columns, keys).Rows(InputTable.Records(csv, columns));
}
