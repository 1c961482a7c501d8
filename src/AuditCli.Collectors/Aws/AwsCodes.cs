using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>The codes that only the collector of AWS gives, as in <see cref="Codes"/>.</summary>
internal static class AwsCodes
{
    public const string AccountsDisagree = "AccountsDisagree";
    public const string AnotherAccount = "AnotherAccount";
    public const string AnotherName = "AnotherName";
    public const string ClientFailed = "ClientFailed";
    public const string DigestChainBroken = "DigestChainBroken";
    public const string DigestNotSigned = "DigestNotSigned";
    public const string PeriodNotCovered = "PeriodNotCovered";
    public const string RegionNotEnabled = "RegionNotEnabled";
    public const string ReportNotReady = "ReportNotReady";
    public const string TrailFileAltered = "TrailFileAltered";
    public const string TrailFileMissing = "TrailFileMissing";
    public const string TrailHasNoDigests = "TrailHasNoDigests";

    /// <summary>The service's own code, given here too because its list of trails is empty instead.</summary>
    public const string TrailNotFoundException = "TrailNotFoundException";

    public const string TrailObjectNotUnderstood = "TrailObjectNotUnderstood";

    public static ImmutableArray<OwnCode> All =>
    [
        new(AccountsDisagree, CodeKind.Unproven,
            "The list of accounts of an AWS organization and its tree do not contain the same accounts.",
            "Run again, since an account may have been moved meanwhile; if the problem persists, ask the organization's administrator about "
            + "the accounts named."),
        new(AnotherAccount, CodeKind.Malformed,
            "A response, a role or the credentials belong to an AWS account other than the one to be read.",
            "Check `role_arn` and the profile of the target; a response about another account is not evidence for this one. The code for "
            + "Google is AnotherProject."),
        new(AnotherName, CodeKind.Malformed,
            "A response is about a user, group, role or policy other than the requested one.",
            "Look at the raw response with `auditcli show`, and run again."),
        new(ClientFailed, CodeKind.Fault,
            "The AWS client library failed for a reason that no other code covers.",
            "Check the profile and the configuration that the message is about."),
        new(DigestChainBroken, CodeKind.Unproven,
            "A digest file of CloudTrail does not continue the one before it.",
            "Treat the trail's files of that time as possibly incomplete; compare with `aws cloudtrail validate-logs`."),
        new(DigestNotSigned, CodeKind.Unproven,
            "A digest file is not signed by CloudTrail for its location, or is not a digest file.",
            "Find out who can write to the bucket; compare with `aws cloudtrail validate-logs`."),
        new(PeriodNotCovered, CodeKind.Incomplete,
            "The trail's digest files do not cover the whole period, or are not in one location.",
            "Compare the period with the date on which validation was enabled for the trail, and with the bucket's retention."),
        new(RegionNotEnabled, CodeKind.Denied,
            "A region refuses credentials that another region accepts, usually because the account has not enabled it; it may still contain resources.",
            "Enable the region, use a token of a regional STS endpoint, or leave the region out of the target's regions."),
        new(ReportNotReady, CodeKind.Incomplete,
            "IAM did not finish the credential report within three minutes.",
            "Run again; IAM continues to generate the report meanwhile."),
        new(TrailFileAltered, CodeKind.Unproven,
            "A file of the trail does not match its digest file; none of its events are in the table.",
            "Keep the file, and find out who can write to the bucket."),
        new(TrailFileMissing, CodeKind.Unproven,
            "A file that a digest file names is missing, or is outside the trail's location.",
            "Find out who can delete from the bucket, and what its retention is."),
        new(TrailHasNoDigests, CodeKind.Unproven,
            "The trail creates no digest files, so it cannot be shown that its files are complete and unaltered.",
            "Have log file validation enabled; it covers only files delivered from then on."),
        new(TrailNotFoundException, CodeKind.Absent,
            "The account has no such trail in the region; this is AWS's own code, also given when AWS responds with an empty list.",
            "Correct the trail's ARN or the region in the control."),
        new(TrailObjectNotUnderstood, CodeKind.Unproven,
            "An object among the digest files does not have the name of a digest file.",
            "Look at the object; whatever else writes there may conceal a missing digest file."),
        new("", CodeKind.Unreachable,
            "AWS, or a proxy in front of it, responded with this HTTP status and without an error code; HTTPnnn for Google and Httpnnn for "
            + "Kubernetes mean the same.",
            "Look at the raw response with `auditcli show`; 401 and 403 are denials, 429 means too many requests, and 5xx may be "
            + "temporary.") { HasStatus = true },
    ];

    /// <summary>Returns the code of a response that has no error code.</summary>
    public static string OfStatus(int status) => status.ToString(CultureInfo.InvariantCulture);
}
