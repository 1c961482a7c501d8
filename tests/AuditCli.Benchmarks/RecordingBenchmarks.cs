using AuditCli.Evidence.Warc;
using BenchmarkDotNet.Attributes;

namespace AuditCli.Benchmarks;

/// <summary>Compares recording an exchange with hashing its body alone, for a response of 10 KB, the size of a page of IAM users.</summary>
[MemoryDiagnoser]
public class RecordingBenchmarks : IAsyncDisposable
{
    private readonly byte[] _body = new byte[10_240];
    private string _folder = "";
    private ExchangeLog? _log;

    [GlobalSetup]
    public void Begin()
    {
        new Random(1).NextBytes(_body);
        for (var i = 0; i < _body.Length; i++)
            _body[i] = (byte)('a' + _body[i] % 20);
        _folder = Directory.CreateTempSubdirectory("auditcli-bench-").FullName;
        _log = new(Path.Combine(_folder, "bench.warc.gz"), "bench", "auditcli");
    }

    [GlobalCleanup]
    public async ValueTask DisposeAsync()
    {
        await _log!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true)]
    public string HashTheBody() => Evidence.Digest.Of(_body).Hex;

    [Benchmark]
    public async Task<ExchangeIds> KeepTheExchange() => await _log!.AppendAsync(
        new(DateTimeOffset.UnixEpoch, new("https://iam.amazonaws.com/"), "http/1.1",
            new("POST / HTTP/1.1", [new("Host", "iam.amazonaws.com"), new("Content-Length", "40")], new byte[40]),
            new("HTTP/1.1 200 OK", [new("Content-Type", "text/xml"), new("Content-Length", "10240")], _body), []),
        CancellationToken.None);
}
