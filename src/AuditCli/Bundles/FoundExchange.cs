using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Warc;

namespace AuditCli.Bundles;

/// <summary>A recorded exchange of a bundle, with the evidence item it was made for.</summary>
/// <param name="File">Path relative to the bundle's root.</param>
/// <param name="RequestId">The provider's request id; null if the provider sent none or the bundle does not list it.</param>
/// <param name="Evidence">The item it was made for; null for requests of the run itself and for credential requests.</param>
internal sealed record FoundExchange(string File, string? RequestId, EvidenceItem? Evidence, RecordedExchange Recorded)
{

    /// <summary>Finds the exchange whose request or response record has this WARC record id.</summary>
    /// <param name="among">Items that probably hold it; searched first.</param>
    /// <returns>Null if the bundle has no such record.</returns>
    /// <exception cref="InvalidDataException">A file is not the one that was sealed, or cannot be parsed.</exception>
    public static FoundExchange? Of(OpenedBundle bundle, string record, IEnumerable<EvidenceItem> among, CancellationToken cancellationToken)
    {
        foreach (var item in among.Concat(bundle.Index.Where(i => i.Calls is null)).Concat(bundle.Index.Where(i => i.Calls is not null)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Attempt.Of(bundle, item).FirstOrDefault(a => a.RecordId == record) is { } attempt)
                return Read(bundle, attempt.File, record, attempt.RequestId, item, cancellationToken);
        }
        // Not listed by an item: requests of the run itself, credential requests, and requests given by the id of their request record.
        return bundle.Files.Below(BundleLayout.ExchangesFolder)
            .Select(file => Read(bundle, file, record, null, null, cancellationToken)).FirstOrDefault(found => found is not null);
    }

    private static FoundExchange? Read(
        OpenedBundle bundle, string file, string record, string? requestId, EvidenceItem? item, CancellationToken cancellationToken)
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
