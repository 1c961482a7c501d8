using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Tables;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Tables;

public sealed class TableTests : IDisposable
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1000 };
    private readonly TemporaryFolder _folder = new();

    private string FilePath => Path.Combine(_folder.Path, "t.ndjson.gz");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ColumnType.Text, "1")]
    [InlineData(ColumnType.Text, "true")]
    [InlineData(ColumnType.Text, "{}")]
    [InlineData(ColumnType.Text, "[]")]
    [InlineData(ColumnType.Text, "\"\\ud800\"")]
    [InlineData(ColumnType.Integer, "5.7")]
    [InlineData(ColumnType.Integer, "5.0")]
    [InlineData(ColumnType.Integer, "1e3")]
    [InlineData(ColumnType.Integer, "9223372036854775808")]
    [InlineData(ColumnType.Integer, "\"9223372036854775808\"")]
    [InlineData(ColumnType.Integer, "\"+1\"")]
    [InlineData(ColumnType.Integer, "\"007\"")]
    [InlineData(ColumnType.Integer, "\"\"")]
    [InlineData(ColumnType.Integer, "\" 1\"")]
    [InlineData(ColumnType.Integer, "\"-\"")]
    [InlineData(ColumnType.Integer, "true")]
    [InlineData(ColumnType.Decimal, "\"1.5\"")]
    [InlineData(ColumnType.Decimal, "1e3")]
    [InlineData(ColumnType.Decimal, "1.0000000001")]
    [InlineData(ColumnType.Decimal, "123456789012345678901234567890")]
    [InlineData(ColumnType.Double, "1e400")]
    [InlineData(ColumnType.Double, "\"NaN\"")]
    [InlineData(ColumnType.Boolean, "\"true\"")]
    [InlineData(ColumnType.Boolean, "1")]
    [InlineData(ColumnType.Date, "\"2026-02-30\"")]
    [InlineData(ColumnType.Date, "\"2026-2-3\"")]
    [InlineData(ColumnType.Date, "20260203")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T10:00:00\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T10:00:60Z\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T24:00:00Z\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T10:00:00.Z\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T10:00:00+0100\"")]
    [InlineData(ColumnType.Timestamp, "\"0001-01-01T00:00:00+01:00\"")]
    [InlineData(ColumnType.Timestamp, "1770112800")]
    [InlineData(ColumnType.Json, "{\"a\":\"\\udc00\"}")]
    [InlineData(ColumnType.Json, "{\"\\udc00\":1}")]
    public void A_value_that_does_not_fit_is_reported_and_left_null(ColumnType type, string value)
    {
        var (misfit, text) = WriteOne(type, value);
        Assert.Equal("value", misfit!.Column);
        Assert.Equal("{\"_target\":\"prod\",\"after\":\"kept\"}\n", text);
    }

    [Fact]
    public void A_misfit_never_quotes_the_value()
    {
        var (misfit, _) = WriteOne(ColumnType.Timestamp, "\"s3cret\"");
        Assert.DoesNotContain("s3cret", misfit!.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_that_common_parsers_refuse_is_a_misfit()
    {
        Assert.Null(WriteOne(ColumnType.Json, new string('[', 63) + new string(']', 63)).Misfit);
        var (misfit, _) = WriteOne(ColumnType.Json, new string('[', 64) + new string(']', 64));
        Assert.Contains("nested too deeply", misfit!.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_a_misfit()
    {
        using var document = JsonDocument.Parse(
            new byte[] { (byte)'{', (byte)'"', (byte)'a', (byte)'"', (byte)':', (byte)'"', 0xC3, 0x28, (byte)'"', (byte)'}' });
        using var table = Open([new("a", ColumnType.Text)]);
        Assert.NotNull(table.Append(["prod"], document.RootElement));
    }

    [Fact]
    public void A_member_named_twice_is_a_misfit()
    {
        using var table = Open([new("a", ColumnType.Integer)]);
        Assert.Equal("a", table.Append(["prod"], JsonElement.Parse("""{"a":1,"a":2}"""))!.Column);
        Assert.Equal("a", table.Append(["prod"], JsonElement.Parse("""{"a":1,"a":null}"""))!.Column);
        table.Complete();
        Assert.Equal("{\"_target\":\"prod\"}\n{\"_target\":\"prod\"}\n", Uncompressed());
    }

    [Fact]
    public void A_table_that_somebody_else_wrote_to_is_an_error_that_names_the_file()
    {
        using var table = Open([new("a", ColumnType.Text)]);
        table.Append(["prod"], JsonElement.Parse("""{"a":"x"}"""));
        File.WriteAllText(FilePath, "not ours");
        Assert.Contains(FilePath, Assert.Throws<IOException>(table.Complete).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => table.Append(["prod"], JsonElement.Parse("{}")));
        Assert.Equal("not ours", File.ReadAllText(FilePath));
    }

    [Fact]
    public void A_table_is_never_written_over_another()
    {
        File.WriteAllText(FilePath, "kept");
        using (var table = Open([new("a", ColumnType.Text)]))
        {
            table.Append(["prod"], JsonElement.Parse("{}"));
            Assert.Throws<IOException>(table.Complete);
        }
        Assert.Equal("kept", File.ReadAllText(FilePath));
    }

    [Theory]
    [InlineData(ColumnType.Text, "\"a\\u0041\\/\\n\\u001F\\u00e9\\ud83d\\ude00\"", "\"aA/\\n\\u001fé\U0001F600\"")]
    [InlineData(ColumnType.Text, "\"<é\u2028\U0001F600>\"", "\"<é\u2028\U0001F600>\"")]
    [InlineData(ColumnType.Integer, "-9223372036854775808", "-9223372036854775808")]
    [InlineData(ColumnType.Integer, "\"9223372036854775807\"", "9223372036854775807")]
    [InlineData(ColumnType.Integer, "-0", "0")]
    [InlineData(ColumnType.Decimal, "-12345678901234567890123456789.500000000", "-12345678901234567890123456789.500000000")]
    [InlineData(ColumnType.Double, "0.1", "0.1")]
    [InlineData(ColumnType.Double, "4.50", "4.5")]
    [InlineData(ColumnType.Double, "1E21", "1e+21")]
    [InlineData(ColumnType.Double, "12", "12")]
    [InlineData(ColumnType.Boolean, "false", "false")]
    [InlineData(ColumnType.Date, "\"2024-02-29\"", "\"2024-02-29\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03t10:00:00.120+01:30\"", "\"2026-02-03T08:30:00.12Z\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T10:00:00.000z\"", "\"2026-02-03T10:00:00Z\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-02-03T10:00:00.123456789Z\"", "\"2026-02-03T10:00:00.1234567Z\"")]
    [InlineData(ColumnType.Timestamp, "\"2026-01-01T00:00:00-00:01\"", "\"2026-01-01T00:01:00Z\"")]
    [InlineData(ColumnType.Json, " { \"b\" : 1.50 , \"a\" : [ 1E+2, null, \"\\u00e9\" ] } ", "{\"b\":1.50,\"a\":[1E+2,null,\"é\"]}")]
    [InlineData(ColumnType.Json, "\"text\"", "\"text\"")]
    [InlineData(ColumnType.Json, "[]", "[]")]
    public void A_value_has_one_spelling(ColumnType type, string value, string expected)
    {
        var (misfit, text) = WriteOne(type, value);
        Assert.Null(misfit);
        Assert.Equal($"{{\"_target\":\"prod\",\"value\":{expected},\"after\":\"kept\"}}\n", text);
    }

    [Fact]
    public void Members_follow_the_columns_and_what_is_absent_null_or_unknown_is_left_out()
    {
        using (var table = new TableWriter(
            FilePath, EvidenceColumns.Added(false, []), [new("b", ColumnType.Text), new("a", ColumnType.Integer), new("c", ColumnType.Json)]))
        {
            table.Append(["t", "1", null, "ref"], JsonElement.Parse("""{"a":1,"x":9,"b":"two","c":null}"""));
            table.Append(["t", "1", null, "ref"], JsonElement.Parse("""{"c":{"k":1},"a":2}"""));
            table.Append([null, null, null, null], JsonElement.Parse("""{"b":"only"}"""));
            table.Append([null, null, null, null], JsonElement.Parse("{}"));
            Assert.Equal(["_target", "_account", "_region", "_ref", "b", "a", "c"], table.Columns.Select(c => c.Name));
            Assert.Equal(4, table.Complete().Rows);
        }
        Assert.Equal("""
            {"_target":"t","_account":"1","_ref":"ref","b":"two","a":1}
            {"_target":"t","_account":"1","_ref":"ref","a":2,"c":{"k":1}}
            {"b":"only"}
            {}

            """, Uncompressed());
    }

    [Fact]
    public void A_table_without_rows_has_no_file()
    {
        using (var table = Open([new("n", ColumnType.Integer)]))
        {
            var summary = table.Complete();
            Assert.Equal((0L, Digest.Of([])), (summary.Rows, summary.Sha256));
            Assert.Null(summary.FileSha256);
            Assert.Null(summary.At("data/tables/a.ndjson.gz"));
        }
        Assert.False(File.Exists(FilePath));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    public void The_digest_is_of_the_uncompressed_bytes_and_rows_come_back(int rows)
    {
        TableSummary summary;
        using (var table = Open([new("n", ColumnType.Integer)]))
        {
            for (var n = 0; n < rows; n++)
                Assert.Null(table.Append(["prod"], JsonElement.Parse($"{{\"n\":{n}}}")));
            summary = table.Complete();
        }
        Assert.Equal(Digest.Of(Encoding.UTF8.GetBytes(Uncompressed())), summary.Sha256);
        using var reader = new TableReader(FilePath, summary.Sha256);
        var expected = 0;
        foreach (var row in reader.ReadRows())
            Assert.Equal(expected++, row.GetProperty("n").GetInt32());
        Assert.Equal((rows, rows), (expected, reader.Rows));
        Assert.Equal(summary.Sha256, reader.Sha256);
    }

    [Fact]
    public void Rows_longer_than_the_buffer_come_back()
    {
        var text = new string('x', 700_000);
        using (var table = Open([new("a", ColumnType.Text)]))
        {
            for (var n = 0; n < 3; n++)
                table.Append([$"t{n}"], JsonElement.Parse($"{{\"a\":\"{text}\"}}"));
            table.Complete();
        }
        using var reader = new TableReader(FilePath);
        Assert.Equal(["t0", "t1", "t2"], reader.ReadRows().Select(r => r.GetProperty("_target").GetString()));
        using var limited = new TableReader(FilePath, maxRowBytes: 10_000);
        Assert.Throws<InvalidDataException>(() => limited.TryRead(out _));
    }

    [Fact]
    public void Every_truncation_of_a_table_is_noticed_without_a_digest()
    {
        using (var table = Open([new("n", ColumnType.Integer)]))
        {
            for (var n = 0; n < 40; n++)
                table.Append(["prod"], JsonElement.Parse($"{{\"n\":{n * 7919}}}"));
            table.Complete();
        }
        var whole = File.ReadAllBytes(FilePath);
        var torn = Path.Combine(_folder.Path, "torn.gz");
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(torn, whole[..length]);
            var error = Assert.Throws<InvalidDataException>(() => Drain(torn));
            Assert.Contains(torn, error.Message, StringComparison.Ordinal);
        }
        File.WriteAllBytes(torn, [.. whole, .. whole]);
        Assert.Contains("something follows", Assert.Throws<InvalidDataException>(() => Drain(torn)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_digest_than_expected_is_an_error()
    {
        using (var table = Open([]))
        {
            table.Append(["prod"], JsonElement.Parse("{}"));
            table.Complete();
        }
        using var reader = new TableReader(FilePath, Digest.Of("other"u8));
        Assert.True(reader.TryRead(out _));
        Assert.Throws<InvalidDataException>(() => reader.TryRead(out _));
    }

    [Fact]
    public void A_table_that_was_not_completed_does_not_read_as_a_table()
    {
        using (var table = Open([new("a", ColumnType.Text)]))
        {
            table.Append(["prod"], JsonElement.Parse("{}"));
            Assert.False(File.Exists(FilePath));
            table.Append(["prod"], JsonElement.Parse($"{{\"a\":\"{new string('x', 100_000)}\"}}"));
        }
        Assert.Throws<InvalidDataException>(() => Drain(FilePath));
    }

    private static void Drain(string path)
    {
        using var reader = new TableReader(path);
        while (reader.TryRead(out _))
        {
        }
    }

    private (Misfit? Misfit, string Text) WriteOne(ColumnType type, string value)
    {
        File.Delete(FilePath);
        using var table = Open([new("value", type), new("after", ColumnType.Text)]);
        using var document = JsonDocument.Parse($"{{\"value\":{value},\"after\":\"kept\"}}", Deep);
        var misfit = table.Append(["prod"], document.RootElement);
        table.Complete();
        table.Dispose();
        return (misfit, Uncompressed());
    }

    private TableWriter Open(ImmutableArray<Column> own) => new(FilePath, [new("_target", ColumnType.Text)], own);

    private string Uncompressed()
    {
        using var file = File.Open(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var gzip = new GZipStream(file, CompressionMode.Decompress);
        return new StreamReader(gzip).ReadToEnd();
    }
}
