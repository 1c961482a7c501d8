using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Builds the custom role with exactly the permissions that operations need (https://cloud.google.com/iam/docs/creating-custom-roles).
/// </summary>
internal static class GcpPermissions
{
    private const string Resource = "Gcp/permissions.json";
    private const string NotKnown = "what it needs is not in AuditCli's table; see Google's page about the method";

    /// <param name="operations">The operations that are collected.</param>
    /// <param name="targets">The targets that are collected from; none means targets that name their projects.</param>
    public static PermissionDocument Document(ImmutableArray<Operation> operations, ImmutableArray<Target> targets)
    {
        var catalogue = new RestCatalogue(GcpSource.Catalogue);
        using var stream = typeof(GcpPermissions).Assembly.GetManifestResourceStream(Resource)!;
        using var document = JsonDocument.Parse(stream);
        var (known, about) = (document.RootElement.GetProperty("operations"), document.RootElement.GetProperty("notes"));
        var listed = targets.Where(t => t.Settings.ContainsKey("folder") || t.Settings.ContainsKey("organization")).ToImmutableArray();
        var asked = operations.SelectMany(o => o.Reads).Concat(listed.IsEmpty ? [] : ProjectList.Operations)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToImmutableArray();
        var permissions = asked.Where(a => known.TryGetProperty(a, out _)).SelectMany(a => known.GetProperty(a).EnumerateArray().Select(p => p.GetString()!))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToImmutableArray();
        var ofOrganizations = document.RootElement.GetProperty("organization_only").EnumerateArray().Select(p => p.GetString()!).ToImmutableArray();
        var notes = ImmutableArray.CreateBuilder<string>();
        notes.AddRange(Use([.. permissions.Where(p => ofOrganizations.Any(o => p.StartsWith(o, StringComparison.Ordinal)))]));
        if (!asked.IsEmpty)
        {
            var hosts = asked.Select(a => catalogue.Find(a) is var (api, _) ? Endpoints.Host(api).Host : null)
                .OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            notes.Add($"these APIs must be enabled: {string.Join(", ", hosts)}");
        }
        notes.AddRange(Identities(targets, listed));
        notes.AddRange(asked.Where(a => about.TryGetProperty(a, out _)).Select(a => about.GetProperty(a).GetString()!));
        var remarks = new PermissionRemarks(
            notes.ToImmutable(), [], [.. asked.Where(a => !known.TryGetProperty(a, out _)).Select(a => new UnmappedOperation(a, NotKnown))]);
        return new("custom role", remarks.Comments + Role(permissions), remarks, HoldsRemarks: true);
    }

    private static IEnumerable<string> Use(ImmutableArray<string> ofOrganizations) => ofOrganizations.IsEmpty
        ? ["use: gcloud iam roles create auditcliReader --project=PROJECT --file=FILE in each project, "
            + "or once with --organization=ORGANIZATION; then bind it to the identity"]
        :
        [
            "use: gcloud iam roles create auditcliReader --organization=ORGANIZATION --file=FILE; then bind it to the identity, at the organization or folder",
            $"a role of a project cannot hold {string.Join(", ", ofOrganizations)}",
        ];

    private static IEnumerable<string> Identities(ImmutableArray<Target> targets, ImmutableArray<Target> listed)
    {
        if (targets.IsEmpty)
        {
            yield return "a target that is a folder or an organization also needs resourcemanager.projects.list and resourcemanager.folders.list there; "
                + "with an engagement they are included";
        }
        foreach (var target in listed.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            yield return $"target {target.Name}: its projects are listed by parent, so that the role must be bound at the "
                + $"{(target.Setting("folder") is { } folder ? $"folder {folder}" : $"organization {target.Setting("organization")}")}";
        }
        foreach (var target in targets.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            if (target.Setting("impersonate") is { } account)
            {
                yield return $"target {target.Name}: the role belongs to {account}; "
                    + "the identity that impersonates that account needs iam.serviceAccounts.getAccessToken on it";
            }
            if (target.Setting("quota_project") is { } payer)
                yield return $"target {target.Name}: the identity needs serviceusage.services.use in {payer}, which pays for the requests";
        }
    }

    private static string Role(ImmutableArray<string> permissions) =>
        $"""
        title: AuditCli reader
        description: What the selected controls of AuditCli read, and nothing else.
        stage: GA
        includedPermissions:{(permissions.IsEmpty ? " []" : "")}

        """.ReplaceLineEndings("\n") + string.Concat(permissions.Select(p => $"- {p}\n"));
}
