namespace AuditCli.Collectors.Exchanges;

/// <summary>The number of concurrent requests and connections of a run.</summary>
/// <param name="AtOnce">Concurrent requests in total.</param>
/// <param name="PerAccountAndRegion">
/// Concurrent requests for one account and region of AWS, one consumer project of Google, or one cluster.
/// </param>
/// <param name="PerService">Concurrent requests for one service of one account.</param>
/// <param name="Connections">Open connections, including idle ones that are kept a few seconds for the next request.</param>
public sealed record RequestLimits(int AtOnce, int PerAccountAndRegion, int PerService, int Connections)
{
    /// <summary>
    /// The files that the process itself keeps open: two for each assembly, the log, the index and the pipes of the evaluator process.
    /// </summary>
    private const int OwnFiles = 208;

    /// <summary>The minimum of concurrent requests. With fewer, a run of many accounts would take days, so it is not started.</summary>
    private const int FewestAtOnce = 8;

    /// <summary>The limits of a run unless the system requires lower ones.</summary>
    public static RequestLimits Default { get; } = new(AtOnce: 128, PerAccountAndRegion: 16, PerService: 8, Connections: 512);

    /// <summary>
    /// Reduces these limits to a number of open files, connections included: each request uses a connection, and a file while its response
    /// is written. No other use of files grows with an engagement.
    /// </summary>
    /// <exception cref="IOException">The number is too small for a run; the message names the number needed.</exception>
    public RequestLimits Within(long openFiles)
    {
        var left = openFiles - OwnFiles;
        if (left < 2 * FewestAtOnce)
        {
            throw new IOException(
                $"this process may have {openFiles} files open at once, and a run needs {OwnFiles + 2 * FewestAtOnce}; "
                        + "allow more, for example with: ulimit -n 1024");
        }
        var atOnce = (int)Math.Min(AtOnce, left / 2);
        return this with { AtOnce = atOnce, Connections = (int)Math.Min(Connections, left - atOnce) };
    }
}
