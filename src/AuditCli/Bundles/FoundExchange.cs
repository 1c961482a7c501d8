using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Bundles;

/// <summary>A recorded exchange of a bundle, and what it was asked for.</summary>
/// <param name="File">From the bundle's root.</param>
/// <param name="RequestId">The provider's own identifier; null where it sent none, or the bundle does not say.</param>
/// <param name="Evidence">The item that it was asked for; null for what the run itself asked, and for credentials.</param>
internal sealed record FoundExchange(string File, string? RequestId, EvidenceItem? Evidence, RecordedExchange Recorded)
{
    private const string Folder = "data/exchanges/";

    /// <summary>The exchange whose request or answer has this identifier.</summary>
    /// <param name="among">Where it probably was asked for; looked at first.</param>
    /// <returns>Null where the bundle has no such record.</returns>
    /// <exception cref="InvalidDataException">A file is not the one that was sealed, or cannot be read as what it is.</exception>
    public static FoundExchange? Of(OpenedBundle bundle, string record, IEnumerable<EvidenceItem> among, CancellationToken cancellationToken)
    {
        foreach (var item in among.Concat(bundle.Index.Where(i => i.Calls is null)).Concat(bundle.Index.Where(i => i.Calls is not null)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Attempt.Of(bundle, item).FirstOrDefault(a => a.RecordId == record) is { } attempt)
                return Read(bundle, attempt.File, record, attempt.RequestId, item, cancellationToken);
        }
        // What the run asked for itself, credentials, and questions named by their own record.
        return bundle.Files.Below(Folder)
            .Select(file => Read(bundle, file, record, null, null, cancellationToken)).FirstOrDefault(found => found is not null);
    }

    private static FoundExchange? Read(OpenedBundle bundle, string file, string record, string? requestId, EvidenceItem? item, CancellationToken cancellationToken)
    {
        var exchanges = new RecordedExchanges(() => bundle.Files.Open(file, cancellationToken), file);
        foreach (var request in exchanges.Requests())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (request.AnswerId == record || request.RequestId == record)
                return new(file, requestId, item, exchanges.Read(request.RequestOffset, request.AnswerOffset));
        }
        return null;
    }
}
