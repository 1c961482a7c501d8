using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// The codes that only the collector of Kubernetes gives, as in <see cref="Codes"/>. Some are reasons of the Kubernetes API, given here too
/// where a response has the status that belongs to the reason and no Status object.
/// </summary>
internal static class KubernetesCodes
{
    public const string Expired = "Expired";
    public const string Forbidden = "Forbidden";
    public const string ListExpired = "ListExpired";
    public const string NotFound = "NotFound";
    public const string NotServed = "NotServed";
    public const string TooManyRequests = "TooManyRequests";
    public const string Unauthorized = "Unauthorized";
    private const string Status = "Http";

    public static ImmutableArray<OwnCode> All =>
    [
        new(Expired, CodeKind.Incomplete,
            "The server no longer has the requested version of the list; this is Kubernetes' own reason, also given for a 410 without one.",
            "Run again; after the first page, the code is ListExpired."),
        new(Forbidden, CodeKind.Denied,
            "The cluster knows the caller but does not allow the request; this is Kubernetes' own reason, also given for a 403 without one.",
            "Grant what `auditcli permissions` lists."),
        new(ListExpired, CodeKind.Incomplete,
            "The list expired on the server between two of its pages, so the rest was not read.",
            "Run again; if the problem persists, the network or the server is too slow for a list of that size."),
        new(NotFound, CodeKind.Absent,
            "There is no such object or path; this is Kubernetes' own reason, also given for the API server's plain message about an unknown path.",
            "Check the name and the namespace; a control may accept it as 'there is none' with `allow_errors`."),
        new(NotServed, CodeKind.Absent,
            "According to its discovery, the cluster does not serve this kind of object in this version.",
            "Request a version that the cluster serves; a control may accept it as 'there is none' with `allow_errors`."),
        new(TooManyRequests, CodeKind.Throttled,
            "The server received too many requests, and retries did not help; this is Kubernetes' own reason, also given for a 429 without one.",
            "Run again when the cluster is less busy."),
        new(Unauthorized, CodeKind.Denied,
            "The cluster does not accept the caller's credentials; this is Kubernetes' own reason, also given for a 401 without one.",
            "Sign in again, and check with `auditcli doctor`."),
        new(Status, CodeKind.Unreachable,
            "The server, or a proxy in front of it, responded with this HTTP status and without a Status object; nnn for AWS and HTTPnnn for "
            + "Google mean the same.",
            "Look at the raw response with `auditcli show`; 5xx may be temporary, and a page from a proxy is a network problem.") { HasStatus = true },
    ];

    /// <summary>Returns the code of a response without a Status object whose status has no reason of its own.</summary>
    public static string OfStatus(int status) => Status + status.ToString(CultureInfo.InvariantCulture);
}
