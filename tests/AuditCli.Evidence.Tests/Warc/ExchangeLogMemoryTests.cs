using System.Text;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Warc;

/// <summary>Tests that measure the memory of the whole process, so no other tests may run at the same time.</summary>
[CollectionDefinition("memory", DisableParallelization = true)]
public sealed class MemoryTests;

[Collection("memory")]
public sealed class ExchangeLogMemoryTests
{
    [Fact]
    public async Task Memory_does_not_grow_with_twenty_thousand_exchanges()
    {
        using var folder = new TemporaryFolder();
        var body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 500).Select(n => $"{{\"item\":{n}}}")));
        await using var log = new ExchangeLog(Path.Combine(folder.Path, "iam-aws-global.warc.gz"), "seed", "test");
        await log.AppendAsync(Exchanges.Answered(0, body), default);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var n = 1; n <= 20_000; n++)
            await log.AppendAsync(Exchanges.Answered(n, body), default);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 8 * 1024 * 1024, $"{grown} bytes more are in use");
    }
}
