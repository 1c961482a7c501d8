namespace AuditCli.Collectors;

/// <summary>How many requests and connections a run has at once.</summary>
/// <param name="AtOnce">Requests on their way, in all.</param>
/// <param name="PerAccountAndRegion">Of them, for one account and region of AWS, one consumer project of Google, one cluster.</param>
/// <param name="PerService">Of these, for one service of one account.</param>
/// <param name="Connections">Open connections, those included that wait a few seconds for the next request.</param>
public sealed record RequestLimits(int AtOnce, int PerAccountAndRegion, int PerService, int Connections)
{
    /// <summary>What the runtime keeps open, two for each of its assemblies, the log, the index and the pipes of the process that evaluates.</summary>
    private const int OwnFiles = 208;

    /// <summary>With fewer a run of many accounts would take days, so it is better not begun.</summary>
    private const int FewestAtOnce = 8;

    /// <summary>What a run has where the system does not ask for less.</summary>
    public static RequestLimits Default { get; } = new(AtOnce: 128, PerAccountAndRegion: 16, PerService: 8, Connections: 512);

    /// <summary>
    /// These limits where so many files may be open at once, connections counted: a request has a connection, and a file while its answer
    /// is written. Nothing else grows with an engagement.
    /// </summary>
    /// <exception cref="IOException">So few that a run cannot be made; the message says how many it needs.</exception>
    public RequestLimits Within(long openFiles)
    {
        var left = openFiles - OwnFiles;
        if (left < 2 * FewestAtOnce)
            throw new IOException($"this process may have {openFiles} files open at once, and a run needs {OwnFiles + 2 * FewestAtOnce}; allow more, for example with: ulimit -n 1024");
        var atOnce = (int)Math.Min(AtOnce, left / 2);
        return this with { AtOnce = atOnce, Connections = (int)Math.Min(Connections, left - atOnce) };
    }
}
