using System.Collections.Concurrent;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>The files of exchanges of one bundle under construction. Thread-safe.</summary>
/// <param name="folder">The folder of the bundle.</param>
/// <param name="seed">Makes record identifiers unique.</param>
/// <param name="number">Differs from that of the transport's other bundles, and is not zero.</param>
internal sealed class ExchangeLogs(string folder, string seed, int number) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<ExchangeLog>> _logs = new(StringComparer.Ordinal);

    public int Number => number;

    /// <summary>Returns the file at a path of the bundle; it is created at its first exchange.</summary>
    public ExchangeLog Of(string path) => _logs.GetOrAdd(
        path, p => new(() => new ExchangeLog(Path.Combine(folder, p), $"{seed}/{p}", RecordingSoftware.Name))).Value;

    /// <summary>Closes every file.</summary>
    /// <exception cref="IOException">Exchanges could not be written.</exception>
    public async ValueTask DisposeAsync()
    {
        foreach (var log in _logs.Values)
            await log.Value.DisposeAsync();
    }
}
