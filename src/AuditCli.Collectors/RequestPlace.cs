using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>A planned request in the one account and region where it is asked.</summary>
internal sealed record RequestPlace(CollectionPlan Plan, PlannedRequest Request, Connection Connection, string Region)
{
    public string EvidenceId => Plan.EvidenceId(Request, Connection.Account, Region);

    /// <summary>What its requests count against: the part of the operation before the colon is the service.</summary>
    public LimitKey LimitKey => new(
        Request.Operation.Source, Connection.QuotaOwner ?? Connection.Account, Region,
        Connection.QuotaOwner is null ? Service : $"{Service} of {Connection.Account}");

    private string Service => Request.Operation.Name.Split(':')[0];

    public EvidenceRequest Ask(ImmutableSortedDictionary<string, JsonElement> parameters) =>
        new(Connection.Target.Name, Connection.Account, Region, Request.Operation, parameters);

    /// <summary>The item with everything that is known before asking.</summary>
    public EvidenceItem Item(DateTimeOffset started) => new()
    {
        EvidenceId = EvidenceId,
        Names = Request.Names,
        Target = Connection.Target.Name,
        Account = Connection.Account,
        Region = Region,
        Source = Request.Operation.Source,
        Operation = Request.Operation.Name,
        Parameters = Request.Parameters,
        Outcome = CollectionOutcome.Failed,
        Pages = 0,
        Items = 0,
        Columns = Request.Columns,
        Exchanges = [],
        Identity = Connection.Identity,
        Started = started,
        Finished = started,
    };
}
