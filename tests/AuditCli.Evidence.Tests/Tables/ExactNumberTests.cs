using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Tables;

/// <summary>Checks that a number of many digits fits its column digit for digit, or does not fit.</summary>
public sealed class ExactNumberTests : IDisposable
{
    private const string Most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("+1")]
    [InlineData("007")]
    [InlineData("-01.5")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1,000")]
    [InlineData("1'000")]
    [InlineData("1e3")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1.2.3")]
    [InlineData("1.-5")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("0x10")]
    [InlineData("\u0661")]
    public void What_is_no_plain_number_fits_no_exact_column(string text)
    {
        Assert.Null(ExactNumber.Decimal(text, 18));
        Assert.Null(ExactNumber.Whole(text));
    }

    [Theory]
    [InlineData("1.0000000000000000001", 18)]
    [InlineData("1.0000000000000000000", 18)]
    [InlineData("100000000000000000000", 18)]
    [InlineData("0.1", 0)]
    [InlineData("1", 38)]
    public void A_decimal_with_more_digits_than_its_column_does_not_fit_even_where_they_are_zeros(string text, int scale) =>
        Assert.Null(ExactNumber.Decimal(text, scale));

    [Theory]
    [InlineData("1.5")]
    [InlineData("1.0")]
    public void A_whole_number_has_no_places(string text) => Assert.Null(ExactNumber.Whole(text));

    [Fact]
    public void A_whole_number_longer_than_the_engine_reads_soon_does_not_fit()
    {
        Assert.NotNull(ExactNumber.Whole(new string('9', ExactNumber.WholeDigits)));
        Assert.Null(ExactNumber.Whole(new string('9', ExactNumber.WholeDigits + 1)));
    }

    [Theory]
    [InlineData("99999999999999999999.999999999999999999", 18, "99999999999999999999.999999999999999999")]
    [InlineData("-99999999999999999999.999999999999999999", 18, "-99999999999999999999.999999999999999999")]
    [InlineData("0.000000000000000001", 18, "0.000000000000000001")]
    [InlineData("1.50", 18, "1.5")]
    [InlineData("1.000000000000000000", 18, "1")]
    [InlineData("-0.00", 2, "0")]
    [InlineData("100", 18, "100")]
    [InlineData("0.12345678901234567890123456789012345678", 38, "0.12345678901234567890123456789012345678")]
    [InlineData("99999999999999999999999999999999999999", 0, "99999999999999999999999999999999999999")]
    public void A_decimal_has_one_spelling(string text, int scale, string spelled) => Assert.Equal(spelled, ExactNumber.Decimal(text, scale));

    [Theory]
    [InlineData(Most, Most)]
    [InlineData("-" + Most, "-" + Most)]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    public void A_whole_number_has_one_spelling(string text, string spelled) => Assert.Equal(spelled, ExactNumber.Whole(text));

    [Theory]
    [InlineData("whole", "5.5")]
    [InlineData("whole", "1e3")]
    [InlineData("whole", "\"5 \"")]
    [InlineData("whole", "\"\\u0035\"")]
    [InlineData("whole", "\"\\ud800\"")]
    [InlineData("whole", "true")]
    [InlineData("whole", "[5]")]
    [InlineData("decimal", "1.0000000000000000001")]
    [InlineData("decimal", "\"1,5\"")]
    [InlineData("decimal", "{}")]
    public void A_value_that_does_not_fit_is_reported_and_left_null(string type, string value)
    {
        var (misfit, text) = Write(Exact(type), value);
        Assert.Equal("value", misfit!.Column);
        Assert.Equal("{\"after\":\"kept\"}\n", text);
    }

    [Theory]
    [InlineData("whole", Most, Most)]
    [InlineData("whole", "\"" + Most + "\"", Most)]
    [InlineData("decimal", "12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678")]
    [InlineData("decimal", "\"1.50\"", "1.5")]
    public void A_table_holds_an_exact_number_as_text_so_that_no_reader_rounds_it(string type, string value, string written)
    {
        var (misfit, text) = Write(Exact(type), value);
        Assert.Null(misfit);
        Assert.Equal($"{{\"value\":\"{written}\",\"after\":\"kept\"}}\n", text);
    }

    [Theory]
    [InlineData("\"type\":\"whole\",\"scale\":2")]
    [InlineData("\"type\":\"text\",\"scale\":2")]
    [InlineData("\"type\":\"decimal\",\"scale\":39")]
    [InlineData("\"type\":\"decimal\",\"scale\":-1")]
    [InlineData("\"type\":\"decimal\",\"scale\":\"2\"")]
    public void An_index_with_a_scale_that_no_column_has_is_refused(string type)
    {
        var item = Bundles.Samples.Item("prod", "aws-iam-listusers-0123456789ab") with { Columns = [new("amount", ColumnType.Decimal) { Scale = 18 }] };
        var line = Encoding.UTF8.GetString(EvidenceIndex.Format(item));
        var broken = line.Replace("\"type\":\"decimal\",\"scale\":18", type, StringComparison.Ordinal);
        Assert.NotEqual(line, broken);
        Assert.Throws<InvalidDataException>(() => EvidenceIndex.Parse(Encoding.UTF8.GetBytes(broken)));
    }

    [Fact]
    public void An_index_keeps_the_scale_of_a_column()
    {
        var item = Bundles.Samples.Item("prod", "aws-iam-listusers-0123456789ab") with
        {
            Columns = [new("amount", ColumnType.Decimal) { Scale = 18 }, new("fee", ColumnType.Decimal), new("supply", ColumnType.Whole)],
        };
        Assert.Equal(item.Columns.AsEnumerable(), EvidenceIndex.Parse(EvidenceIndex.Format(item)).Columns);
    }

    private static Column Exact(string type) =>
        type == "whole" ? new("value", ColumnType.Whole) : new("value", ColumnType.Decimal) { Scale = 18 };

    private (Misfit? Misfit, string Text) Write(Column column, string value)
    {
        var path = Path.Combine(_folder.Path, "t.ndjson.gz");
        Misfit? misfit;
        using (var writer = new TableWriter(path, [], [column, new("after", ColumnType.Text)]))
        {
            misfit = writer.Append([], JsonDocument.Parse($"{{\"value\":{value},\"after\":\"kept\"}}").RootElement);
            writer.Complete();
        }
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        return (misfit, reader.ReadToEnd());
    }
}
