using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp;

/// <summary>The codes that only the collector of Google Cloud gives, as in <see cref="Codes"/>.</summary>
internal static class GcpCodes
{
    public const string AnotherProject = "AnotherProject";
    public const string ApiNotEnabled = "ApiNotEnabled";
    public const string InvalidHierarchy = "InvalidHierarchy";
    public const string InvalidTarget = "InvalidTarget";
    public const string NoProjects = "NoProjects";
    public const string PartialAnswer = "PartialAnswer";
    private const string Status = "HTTP";

    public static ImmutableArray<OwnCode> All =>
    [
        new(AnotherProject, CodeKind.Malformed,
            "A response lists something of another Google Cloud project than was asked about.",
            "Look at the raw response with `auditcli show`, and run again. AWS's is AnotherAccount."),
        new(ApiNotEnabled, CodeKind.Absent,
            "The API is not enabled in the project that is asked or that pays for the request; this is no denial, and often means that nothing is there.",
            "Enable the API, or say in the control what a project without it means."),
        new(InvalidHierarchy, CodeKind.Malformed,
            "The folders and organizations above a project, as the responses give them, form no hierarchy that can be read to its top.",
            "Run again, since the project may have moved meanwhile; if it stays so, look at the raw responses with `auditcli show`."),
        new(InvalidTarget, CodeKind.Input,
            "A target does not say in exactly one way which projects it is.",
            "Give the target one of `projects`, `folder` and `organization`."),
        new(NoProjects, CodeKind.Input,
            "The target has no project, or none that its credentials can see.",
            "Check the folder or organization of the target, and the permission to list projects under it."),
        new(PartialAnswer, CodeKind.Incomplete,
            "Google says that something is missing from its response, such as a zone that did not answer.",
            "Run again when what the message names is reachable."),
        new(Status, CodeKind.Unreachable,
            "Google, or a proxy before it, answered with this HTTP status and no error in Google's form; AWS's nnn and Kubernetes' Httpnnn mean the same.",
            "Look at the raw response with `auditcli show`; 401 and 403 are denials, 429 means too many requests, and 5xx may pass.") { HasStatus = true },
    ];

    /// <summary>Returns the code of a response without an error in Google's form.</summary>
    public static string OfStatus(int status) => Status + status.ToString(CultureInfo.InvariantCulture);
}
