using System.IO.Compression;
using System.Text;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Warc;

public sealed class WarcReaderTests
{
    private static readonly (byte[] File, long[] Ends) Sample = Write();

    [Fact]
    public void Every_truncation_is_noticed_and_every_whole_record_is_recovered()
    {
        for (var length = 0; length < Sample.File.Length; length++)
        {
            var whole = Sample.Ends.Count(end => end <= length);
            var reader = new WarcReader(new MemoryStream(Sample.File, 0, length));
            Assert.Equal(whole, reader.ReadAll().Count());
            var boundary = whole == 0 ? 0 : Sample.Ends[whole - 1];
            if (length == boundary)
                Assert.Null(reader.Damage);
            else
                Assert.Equal(boundary, reader.Damage!.Offset);
        }
    }

    [Fact]
    public void A_flipped_bit_is_noticed_or_changes_nothing()
    {
        var original = Read(Sample.File);
        var random = new Random(2);
        var unnoticed = 0;
        for (var at = 0; at < Sample.File.Length; at++)
        {
            var file = Sample.File.ToArray();
            file[at] ^= (byte)(1 << random.Next(8));
            var reader = new WarcReader(new MemoryStream(file));
            var records = reader.ReadAll().Select(r => (r.Record.Id, Convert.ToHexString(r.Record.Block.Span))).ToList();
            if (reader.Damage is not null)
                continue;
            unnoticed++;
            Assert.Equal(original, records);
        }
        // The time, flag and system bytes of gzip headers hold no content, so flips there go unnoticed here; the bag's manifest covers
        // them.
        Assert.True(unnoticed < Sample.Ends.Length * 8, $"{unnoticed} flips went unnoticed");
    }

    [Theory]
    [InlineData(4, "FEXTRA")]
    [InlineData(8, "FNAME")]
    [InlineData(16, "FCOMMENT")]
    public void Optional_gzip_header_fields_are_refused(byte flag, string name)
    {
        var file = Sample.File.ToArray();
        file[3] = flag;
        var reader = new WarcReader(new MemoryStream(file));
        Assert.Null(reader.Read());
        Assert.True(reader.Damage is { Offset: 0 }, name);
    }

    [Fact]
    public void A_record_beyond_the_limit_is_refused_without_being_held()
    {
        var (request, answer) = WarcFormat.Records("seed", 1, Exchanges.Answered(1, new byte[50_000_000]));
        var bomb = WarcWriter.Compress([request, answer], CompressionLevel.Optimal);
        var reader = new WarcReader(new MemoryStream(bomb.ToArray()), maxRecordBytes: 1_000_000);
        Assert.Single(reader.ReadAll());
        Assert.Contains("larger than", reader.Damage!.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WARC/1.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n", "not a WARC/1.1 record")]
    [InlineData("WARC/1.1\r\nContent-Length: 1\r\n\r\n\r\n\r\n", "stated length")]
    [InlineData("WARC/1.1\r\nContent-Length: -1\r\n\r\n\r\n\r\n", "stated length")]
    [InlineData("WARC/1.1\r\nno field\r\n\r\n\r\n\r\n", "not a header field")]
    [InlineData("WARC/1.1\r\n", "has no end")]
    [InlineData("WARC/1.1\r\nWARC-Block-Digest: sha256:00\r\nContent-Length: 0\r\n\r\n\r\n\r\n", "block digest")]
    public void A_malformed_record_is_damage(string record, string reason)
    {
        var file = new MemoryStream();
        using (var gzip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(record));
        file.Position = 0;
        var reader = new WarcReader(file);
        Assert.Null(reader.Read());
        Assert.Contains(reason, reader.Damage!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_whose_answer_was_torn_off_is_an_error_with_file_and_offset()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "torn.warc.gz");
        File.WriteAllBytes(path, Sample.File[..(int)Sample.Ends[1]]);
        var error = Assert.Throws<InvalidDataException>(() => new RecordedExchanges(path).Requests().Count());
        Assert.Contains($"{path}: the request at byte {Sample.Ends[0]} has no response", error.Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, Sample.File[..^1]);
        error = Assert.Throws<InvalidDataException>(() => new RecordedExchanges(path).Requests().Count());
        Assert.Contains($"at byte {Sample.Ends[^2]}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_records_are_what_the_standard_asks_for()
    {
        var records = new WarcReader(new MemoryStream(Sample.File)).ReadAll().Select(r => r.Record).ToList();
        Assert.Equal(["warcinfo", "request", "response", "request", "metadata", "request", "response"], records.Select(r => r.Type));
        Assert.All(records, r => Assert.Matches("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", r.Id));
        Assert.All(records, r => Assert.Matches("^sha256:[0-9a-f]{64}$", r["WARC-Block-Digest"]));
        Assert.Equal("h2", records[2]["WARC-Protocol"]);
        Assert.Equal("2026-09-30T12:00:01.1234567Z", records[2]["WARC-Date"]);
    }

    private static List<(string, string)> Read(byte[] file) =>
        [.. new WarcReader(new MemoryStream(file)).ReadAll().Select(r => (r.Record.Id, Convert.ToHexString(r.Record.Block.Span)))];

    private static (byte[], long[]) Write()
    {
        var file = new MemoryStream();
        var ends = new List<long>();
        var answered = WarcFormat.Records("seed", 1, Exchanges.Answered(1, Exchanges.Random(new(1), 300)));
        var failed = WarcFormat.Records("seed", 2, Exchanges.Failed(2));
        var empty = WarcFormat.Records("seed", 3, Exchanges.Answered(3, []));
        foreach (var record in new[]
        {
            WarcFormat.Info("seed", "sample.warc.gz", Exchanges.Date, [new("software", "test")]),
            answered.Request, answered.Answer, failed.Request, failed.Answer, empty.Request, empty.Answer,
        })
        {
            file.Write(WarcWriter.Compress([record], CompressionLevel.Optimal).Span);
            ends.Add(file.Length);
        }
        return (file.ToArray(), [.. ends]);
    }
}
