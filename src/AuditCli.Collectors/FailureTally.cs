using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors;

/// <summary>Counts failures by code and keeps the first message of each, so that a million denied calls need one line.</summary>
internal sealed class FailureTally
{
    private readonly Dictionary<string, (string Message, long Count)> _byCode = new(StringComparer.Ordinal);

    public bool IsEmpty => _byCode.Count == 0;

    public void Add(string code, string message, long count = 1) =>
        _byCode[code] = _byCode.TryGetValue(code, out var seen) ? (seen.Message, seen.Count + count) : (message, count);

    /// <summary>The failures, most frequent first, then by code.</summary>
    public ImmutableArray<ReadFailure> Failures =>
    [
        .. _byCode.Select(f => new ReadFailure(f.Key, f.Value.Message, f.Value.Count))
            .OrderByDescending(f => f.Count).ThenBy(f => f.Code, StringComparer.Ordinal),
    ];
}

/// <summary>Converts an exception to the code and message recorded in the evidence.</summary>
internal static class Failures
{
    public static (string Code, string Message) Describe(Exception exception) => exception switch
    {
        CollectionException known => (known.Code, known.Message),
        // An internal fault still limits the evidence; the type name leads to the cause in the run log.
        _ => (Codes.CollectorFault, Redaction.CredentialText.Clean($"{exception.GetType().Name}: {exception.Message}")),
    };
}

/// <summary>Formats the report of a value that does not fit its column.</summary>
internal static class Misfits
{
    public static string Describe(Misfit misfit, string? reference) => $"{misfit.Column}: {misfit.Description} ({reference})";
}
