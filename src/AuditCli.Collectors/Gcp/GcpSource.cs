using System.Collections.Immutable;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Describes the operations and settings of Google Cloud as plain data. An API's part of the catalogue is read at its first use.
/// </summary>
/// <remarks>
/// Operations are written <c>&lt;api&gt;:&lt;collection.method&gt;</c> (<c>iam:projects.serviceAccounts.list</c>), the older of two
/// versions with its number (<c>cloudresourcemanager.v1:projects.list</c>). Every operation is called once for each project. If a control
/// does not give a parameter that names exactly a project, it is set to the current project, and <c>{project}</c> inside a parameter's
/// text is replaced by it (<c>parent: projects/{project}/locations/-</c>). Only <c>iam_bindings</c> is made from several calls.
/// </remarks>
public static class GcpSource
{
    /// <summary>The source name in controls and engagements.</summary>
    public const string Name = "gcp";

    /// <summary>The folder of the catalogue's files.</summary>
    internal const string Catalogue = "Gcp/Catalogue";

    /// <summary>Returns the source with its operations; it is cheap to create and thread-safe.</summary>
    public static EvidenceSource Create()
    {
        var catalogue = new RestCatalogue(GcpSource.Catalogue);
        return new(
            Name,
            [
                new("projects", TargetSettingForm.TextList, false, []) { Description = "Project ids." },
                new("folder", TargetSettingForm.Text, false, []) { Description = "Every project under this folder, by its number." },
                new("organization", TargetSettingForm.Text, false, []) { Description = "Every project under this organization, by its number." },
                new("credentials", TargetSettingForm.File, false, [])
                {
                    Description = "A credentials file, relative to the engagement's folder; the application default credentials if omitted.",
                },
                new("impersonate", TargetSettingForm.Text, false, []) { Description = "A service account to impersonate." },
                new("quota_project", TargetSettingForm.Text, false, []) { Description = "The project that pays for the requests." },
            ],
            name => name == IamBindings.Operation.Name ? IamBindings.Operation
                : catalogue.Find(name) is var (api, operation) ? Describe(api, operation)
                : null,
            name => Suggest(catalogue, name))
        {
            TargetDescription = "Google Cloud projects: give exactly one of projects, folder and organization.",
            OperationDescription =
                "<API>:<collection.method>, such as iam:projects.serviceAccounts.list; called for each project, which is used "
                + "where a parameter needs a project and none is given, and for {project} in a parameter's text. What names an organization or "
                + "folder is called once for it: organizations.policies.list, or {organization} in a parameter's text.",
            Has = (target, operation, parameters) => operation.AskedOnceOf(parameters) is not { } kind || GcpWhole.Of(target)?.Kind == kind,
            WhyNotTarget = WhyNot,
        };
    }

    private static string? WhyNot(Target target)
    {
        if (target.Settings.GetValueOrDefault("projects", []).FirstOrDefault(p => !ProjectId.Is(p)) is { } project)
            return $"'{project}' cannot be a project; write its id, such as acme-prod-1";
        return new[] { "folder", "organization" }.FirstOrDefault(k => target.Setting(k) is { } id && !ProjectId.IsParent(id, k)) is { } kind
            ? $"'{target.Setting(kind)}' is not a {kind}; write its number, such as 123456789012"
            : null;
    }

    // The scope is global, because the location is part of resource names.
    private static Operation Describe(RestApi api, RestOperation operation) => new(
        Name, $"{api.Name}:{operation.Name}", OperationScope.Global,
        [.. operation.Parameters.Select(p => new OperationParameter(p.Name, p.Type, p.Required && !GcpWhole.IsFilled(operation, p.Name))
        {
            WhyNot = p.Place == ParameterPlace.Host ? Location.WhyNot : _ => null,
        })],
        operation.Columns)
    {
        AskedOnceOf = parameters => GcpWhole.Of(operation, parameters),
        // A disabled API says nothing about existing resources, except for policyanalyzer: without the API there are no observations for
        // the project.
        NotConfigured = api.Name.StartsWith("policyanalyzer", StringComparison.Ordinal) ? [GcpCodes.ApiNotEnabled] : [],
        // The status of the newer APIs, and the reason of the older ones.
        NotFound = "NOT_FOUND|notFound",
    };

    private static ImmutableArray<string> Suggest(RestCatalogue catalogue, string name) => catalogue.Suggest(
        name,
        // An omitted collection counts only 1, because it is often left out (iam:serviceAccounts.list for iam:projects.serviceAccounts.list).
        (operation, wanted) => operation.EndsWith("." + wanted, StringComparison.Ordinal)
            ? 1
            : EditDistance.Between(operation.ToLowerInvariant(), wanted.ToLowerInvariant()),
        (IamBindings.Operation.Name,
            EditDistance.Between(IamBindings.Operation.Name, name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..].ToLowerInvariant())));
}
