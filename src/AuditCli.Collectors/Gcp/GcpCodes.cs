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
    private const string Status = "HTTP";

    public static ImmutableArray<OwnCode> All =>
    [
        new(AnotherProject, CodeKind.Malformed,
            "A response lists a resource of a Google Cloud project other than the requested one.",
            "Look at the raw response with `auditcli show`, and run again. The code for AWS is AnotherAccount."),
        new(ApiNotEnabled, CodeKind.Absent,
            "The API is not enabled in the project that is read or that pays for the request; this is not a denial, and often means that there "
            + "are no such resources.",
            "Enable the API, or state in the control what a project without it means."),
        new(InvalidHierarchy, CodeKind.Malformed,
            "The folders and organizations above a project, as given in the responses, do not form a hierarchy that can be followed to its top.",
            "Run again, since the project may have been moved meanwhile; if the problem persists, look at the raw responses with `auditcli show`."),
        new(InvalidTarget, CodeKind.Input,
            "A target does not specify its projects in exactly one way.",
            "Give the target one of `projects`, `folder` and `organization`."),
        new(NoProjects, CodeKind.Input,
            "The target has no project, or none that its credentials can see.",
            "Check the folder or organization of the target, and the permission to list projects under it."),
        new(Status, CodeKind.Unreachable,
            "Google, or a proxy in front of it, responded with this HTTP status and without an error in Google's form; nnn for AWS and Httpnnn "
            + "for Kubernetes mean the same.",
            "Look at the raw response with `auditcli show`; 401 and 403 are denials, 429 means too many requests, and 5xx may be "
            + "temporary.") { HasStatus = true },
    ];

    /// <summary>Returns the code of a response without an error in Google's form.</summary>
    public static string OfStatus(int status) => Status + status.ToString(CultureInfo.InvariantCulture);
}
