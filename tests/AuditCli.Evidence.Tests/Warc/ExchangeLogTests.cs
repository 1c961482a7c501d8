using System.IO.Compression;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Warc;

public sealed class ExchangeLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => Path.Combine(_folder.Path, "iam-aws-global.warc.gz");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_full_disk_is_an_error_that_names_the_file_and_every_later_write_fails_too()
    {
        if (!File.Exists("/dev/full"))
            return;
        await using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        using var writer = new WarcWriter(full, "exchanges.warc.gz", CompressionLevel.Fastest);
        var (request, answer) = WarcFormat.Records("seed", 1, Exchanges.Answered(1, [1, 2, 3]));
        var first = await Assert.ThrowsAsync<IOException>(() => writer.WriteAsync([request, answer], default).AsTask());
        Assert.Contains("exchanges.warc.gz", first.Message, StringComparison.Ordinal);
        var second = await Assert.ThrowsAsync<IOException>(() => writer.WriteAsync([request, answer], default).AsTask());
        Assert.Contains("nothing more is recorded", second.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => writer.CompleteAsync(default).AsTask());
    }

    [Fact]
    public async Task An_existing_file_is_never_written_over()
    {
        File.WriteAllText(FilePath, "kept");
        await using var log = new ExchangeLog(FilePath, "seed", "test");
        var error = await Assert.ThrowsAsync<IOException>(() => log.AppendAsync(Exchanges.Answered(1, []), default).AsTask());
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(FilePath));
    }

    [Fact]
    public async Task A_log_that_somebody_else_wrote_to_takes_nothing_more_and_names_the_file()
    {
        await using var log = new ExchangeLog(FilePath, "seed", "test");
        await log.AppendAsync(Exchanges.Answered(1, []), default);
        await File.AppendAllTextAsync(FilePath, "not ours");
        var error = await Assert.ThrowsAsync<IOException>(() => log.AppendAsync(Exchanges.Answered(2, []), default).AsTask());
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
        Assert.Contains("another program", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => log.AppendAsync(Exchanges.Answered(3, []), default).AsTask());
        await Assert.ThrowsAsync<IOException>(() => log.CompleteAsync(default).AsTask());
    }

    [Fact]
    public async Task Any_number_of_logs_are_under_way_with_hardly_a_file_open()
    {
        if (!Directory.Exists("/proc/self/fd"))
            return;
        var logs = Enumerable.Range(0, 500).Select(n => new ExchangeLog(Path.Combine(_folder.Path, $"{n}.warc.gz"), $"seed{n}", "test")).ToList();
        var most = 0;
        for (var round = 0; round < 2; round++)
        {
            foreach (var log in logs)
            {
                await log.AppendAsync(Exchanges.Answered(round, [1]), default);
                var open = Directory.EnumerateFileSystemEntries("/proc/self/fd")
                    .Count(d => new FileInfo(d).LinkTarget?.StartsWith(_folder.Path, StringComparison.Ordinal) == true);
                most = Math.Max(most, open);
            }
        }
        foreach (var log in logs)
            await log.DisposeAsync();
        Assert.Equal(0, most);
        Assert.All(logs, log => Assert.Equal(2, Exchanges.ReadAll(log.FilePath).Length));
    }

    [Fact]
    public async Task A_log_that_is_complete_takes_nothing_more()
    {
        var log = new ExchangeLog(FilePath, "seed", "test");
        await log.AppendAsync(Exchanges.Answered(1, []), default);
        await log.CompleteAsync(default);
        await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => log.AppendAsync(Exchanges.Answered(2, []), default).AsTask());
        await log.DisposeAsync();
        Assert.Single(Exchanges.ReadAll(FilePath));
    }

    [Fact]
    public async Task A_cancelled_append_leaves_no_part_of_a_record()
    {
        await using (var log = new ExchangeLog(FilePath, "seed", "test"))
        {
            await log.AppendAsync(Exchanges.Answered(1, []), default);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.AppendAsync(Exchanges.Answered(2, []), new(canceled: true)).AsTask());
            await log.AppendAsync(Exchanges.Answered(3, []), default);
        }
        Assert.Equal(2, Exchanges.ReadAll(FilePath).Length);
    }

    [Theory]
    [InlineData("value\r\nX-Evil: 1")]
    [InlineData("value\nX-Evil: 1")]
    public async Task A_field_with_a_line_end_is_refused(string value)
    {
        await using var log = new ExchangeLog(FilePath, "seed", "test");
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(Exchanges.Answered(1, [], KeyValuePair.Create("X-Field", value)), default).AsTask());
    }

    [Fact]
    public async Task An_exchange_with_neither_answer_nor_failure_is_refused()
    {
        await using var log = new ExchangeLog(FilePath, "seed", "test");
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(Exchanges.Failed(1) with { Failure = [] }, default).AsTask());
    }

    [Fact]
    public async Task A_log_without_exchanges_leaves_no_file()
    {
        await using (var log = new ExchangeLog(FilePath, "seed", "test"))
            await log.CompleteAsync(default);
        Assert.False(File.Exists(FilePath));
    }

    [Fact]
    public async Task What_was_appended_is_read_back_as_it_was()
    {
        var random = new Random(1);
        HttpExchange[] exchanges =
        [
            Exchanges.Answered(1, []),
            Exchanges.Answered(2, Exchanges.Random(random, 100_000), new("Server", "nginx"), new("X-Name", "Grüße, 世界  "), new("X-Empty", "")),
            Exchanges.Failed(3),
            Exchanges.Answered(4, "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"u8.ToArray()) with
            {
                OriginalContentEncoding = "gzip",
                RedactedPayloadDigest = "hmac-sha256:00",
            },
            Exchanges.Answered(5, []) with { BodiesOmitted = true },
            .. Enumerable.Range(6, 40).Select(n => Exchanges.Answered(n, Exchanges.Random(random, random.Next(9000)))),
        ];
        var ids = new List<ExchangeIds>();
        await using (var log = new ExchangeLog(FilePath, "seed", "test"))
        {
            foreach (var exchange in exchanges)
                ids.Add(await log.AppendAsync(exchange, default));
        }
        var read = Exchanges.ReadAll(FilePath);
        Assert.Equal(exchanges.Length, read.Length);
        for (var i = 0; i < read.Length; i++)
        {
            Exchanges.AssertEqual(exchanges[i], read[i].Exchange);
            Assert.Equal(ids[i], new(read[i].Request.Id, read[i].Answer.Id));
            Assert.DoesNotContain('<', ids[i].Answer);
        }
        Assert.Equal(2 * ids.Count, ids.SelectMany(i => new[] { i.Request, i.Answer }).Distinct().Count());
    }

    [Fact]
    public async Task The_bytes_are_in_the_file_before_an_append_returns()
    {
        await using var log = new ExchangeLog(FilePath, "seed", "test");
        await log.AppendAsync(Exchanges.Answered(1, [1, 2, 3]), default);
        var before = new FileInfo(FilePath).Length;
        await log.AppendAsync(Exchanges.Answered(2, [1, 2, 3]), default);
        Assert.True(new FileInfo(FilePath).Length > before);
    }

    [Fact]
    public async Task A_replay_copies_records_with_their_identifiers_and_dates()
    {
        await using (var log = new ExchangeLog(FilePath, "live", "test"))
        {
            await log.AppendAsync(Exchanges.Answered(1, [1, 2, 3]), default);
            await log.AppendAsync(Exchanges.Failed(2), default);
        }
        var copyPath = Path.Combine(_folder.Path, "copy.warc.gz");
        await using (var copy = new ExchangeLog(copyPath, "replay", "test"))
        {
            foreach (var exchange in Exchanges.ReadAll(FilePath))
                Assert.Equal(new(exchange.Request.Id, exchange.Answer.Id), await copy.AppendCopyAsync(exchange.Request, exchange.Answer, default));
        }
        foreach (var (original, copied) in Exchanges.ReadAll(FilePath).Zip(Exchanges.ReadAll(copyPath)))
        {
            Assert.Equal(original.Request.Fields.AsEnumerable(), copied.Request.Fields.AsEnumerable());
            Assert.Equal(original.Answer.Fields.AsEnumerable(), copied.Answer.Fields.AsEnumerable());
            Exchanges.AssertEqual(original.Exchange, copied.Exchange);
        }
    }

    [Fact]
    public async Task Single_answers_are_read_by_their_place()
    {
        await using (var log = new ExchangeLog(FilePath, "seed", "test"))
        {
            for (var n = 1; n <= 5; n++)
                await log.AppendAsync(Exchanges.Answered(n, [(byte)n]), default);
        }
        var file = new RecordedExchanges(FilePath);
        foreach (var request in file.Requests().Reverse())
        {
            var whole = file.Read(request.RequestOffset, request.AnswerOffset);
            Assert.Equal(request.AnswerId, whole.Answer.Id);
            Assert.Equal(request.Uri.Query, $"?page={whole.Exchange.Response!.Body.Span[0]}");
        }
        Assert.Throws<InvalidDataException>(() => file.Read(1, 2));
    }

    [Fact]
    public async Task Concurrent_appends_keep_every_record_whole()
    {
        await using (var log = new ExchangeLog(FilePath, "seed", "test"))
        {
            await Parallel.ForAsync(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (n, ct) =>
                await log.AppendAsync(Exchanges.Answered(n, Exchanges.Random(new(n), 50 + (n * 7 % 5000))), ct));
        }
        var read = Exchanges.ReadAll(FilePath);
        Assert.Equal(Enumerable.Range(0, 500), read.Select(r => int.Parse(r.Exchange.Uri.Query[6..])).Order());
        foreach (var (n, exchange) in read.Select(r => (int.Parse(r.Exchange.Uri.Query[6..]), r.Exchange)))
            Assert.Equal(Exchanges.Random(new(n), 50 + (n * 7 % 5000)), exchange.Response!.Body.ToArray());
    }

    [Fact]
    public async Task Every_line_of_a_failure_survives()
    {
        await using (var log = new ExchangeLog(FilePath, "seed", "test"))
            await log.AppendAsync(
                Exchanges.Failed(1) with { Failure = [new("IOException", "-", "two\r\nlines\u0085"), new("TimeoutException", "-", "")] }, default);
        Assert.Equal([new("IOException", "-", "two lines "), new("TimeoutException", "-", "")],
            Exchanges.ReadAll(FilePath).Single().Exchange.Failure.AsEnumerable());
    }
}
