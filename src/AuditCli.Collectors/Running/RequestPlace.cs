using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>A planned request in the account and region where it is made.</summary>
internal sealed record RequestPlace(CollectionPlan Plan, PlannedRequest Request, Connection Connection, string Region)
{
    public string EvidenceId => Plan.EvidenceId(Request, Connection.Account, Region);

    /// <summary>The limits that the requests count against; the service is the part of the operation name before the colon.</summary>
    public LimitKey LimitKey => new(
        Request.Operation.Source, Connection.QuotaOwner ?? Connection.Account, Region,
        Connection.QuotaOwner is null ? Service : $"{Service} of {Connection.Account}");

    private string Service => Request.Operation.Name.Split(':')[0];

    public EvidenceRequest Ask(ImmutableSortedDictionary<string, JsonElement> parameters) =>
        new(Connection.Target.Name, Connection.Account, Region, Request.Operation, parameters);

    /// <summary>Returns the item with everything that is known before the request.</summary>
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
