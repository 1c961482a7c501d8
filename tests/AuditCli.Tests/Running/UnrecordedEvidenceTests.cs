using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Running;

namespace AuditCli.Tests.Running;

/// <summary>A replay repeats the failures for which nothing was sent, because no exchange has them.</summary>
public sealed class UnrecordedEvidenceTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 16, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("no table of calls", null, true)]
    [InlineData("nothing asked, because the parent was not read", "", true)]
    [InlineData("a call that failed", "a call", false)]
    public void A_failure_is_taken_from_the_index_only_where_nothing_was_sent(string form, string? calls, bool isTaken)
    {
        var sealedItem = Failed("ParentNotRead", "aiplatform:ListLocations is failed (InvalidEndpoint)", calls);
        var again = Failed("ParentNotRead", "aiplatform:ListLocations is failed (NoRecording)", calls);
        var taken = UnrecordedEvidence.Of([sealedItem]).AsSealed(again);
        Assert.True((taken.Message == sealedItem.Message) == isTaken, form);
        Assert.Equal(isTaken ? sealedItem.Failures : again.Failures, taken.Failures);
    }

    private static EvidenceItem Failed(string code, string message, string? calls) => new()
    {
        EvidenceId = "gcp-aiplatform-0123456789ab",
        Names = [new("AIP-GCP-001", "endpoints")],
        Target = "prod",
        Account = "nq-ai",
        Region = "global",
        Source = "gcp",
        Operation = "aiplatform:ListEndpoints",
        Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty,
        Outcome = CollectionOutcome.Failed,
        Code = code,
        Message = message,
        Failures = [new(code, message, 1)],
        Pages = 0,
        Items = 0,
        Columns = [],
        Calls = calls is null ? null : "data/tables/gcp-aiplatform-0123456789ab.calls.ndjson.gz",
        CallsSha256 = calls is null ? null : Digest.Of(System.Text.Encoding.UTF8.GetBytes(calls)),
        Exchanges = [],
        Identity = "",
        Started = At,
        Finished = At,
    };
}
