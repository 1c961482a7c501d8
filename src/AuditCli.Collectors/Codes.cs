using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>
/// The codes that collectors give to failures where the provider gave none, each written once: those of every source here, those of one
/// source in its own folder. Sealed bundles and <c>allow_errors</c> of controls contain them, so a spelling is never changed.
/// </summary>
/// <remarks>
/// To add a code: add the constant, which is named like the code, and its row; then let <c>CodesTests</c> write the manual's page again.
/// </remarks>
public static class Codes
{
    public const string AccountNotEntered = "AccountNotEntered";
    public const string CappedAnswer = "CappedAnswer";
    public const string CollectorFault = "CollectorFault";
    public const string ConnectionFailed = "ConnectionFailed";
    public const string CountsDiffer = "CountsDiffer";
    public const string EndlessPages = "EndlessPages";
    public const string InputUnreadable = "InputUnreadable";
    public const string InvalidEndpoint = "InvalidEndpoint";
    public const string InvalidParameter = "InvalidParameter";
    public const string InvalidProxy = "InvalidProxy";
    public const string MalformedResponse = "MalformedResponse";
    public const string MemberNotSeen = "MemberNotSeen";
    public const string NextPageUnreadable = "NextPageUnreadable";
    public const string NoAnswer = "NoAnswer";
    public const string NoCredentials = "NoCredentials";
    public const string NoParentValue = "NoParentValue";
    public const string NoRecording = "NoRecording";
    public const string ParentNotRead = "ParentNotRead";
    public const string PartialAnswer = "PartialAnswer";
    public const string Redirected = "Redirected";
    public const string RefusedReadOnly = "RefusedReadOnly";
    public const string RepeatedRow = "RepeatedRow";
    public const string RepeatedToken = "RepeatedToken";
    public const string ResponseTooLarge = "ResponseTooLarge";
    public const string StatedRowsDiffer = "StatedRowsDiffer";
    public const string StatedTotalsDiffer = "StatedTotalsDiffer";
    public const string TimedOut = "TimedOut";
    public const string UntrustedServer = "UntrustedServer";
    public const string ValueDoesNotFit = Evidence.Tables.Misfit.Code;
    private const string Status = "Status";

    private static ImmutableArray<OwnCode> OfEverySource =>
    [
        new(AccountNotEntered, CodeKind.Incomplete,
            "AuditCli could not connect to an account that the target lists, so nothing in it was read.",
            "The evidence planned for the account gives the reason; allow the connection, or exclude the account in the engagement."),
        new(CappedAnswer, CodeKind.Incomplete,
            "The response has as many rows as the provider returns at most for one question, so there may be more.",
            "Ask for less at once, for example with a filter or a shorter time."),
        new(CollectorFault, CodeKind.Fault,
            "AuditCli itself failed while sending a request or reading a response; the message names the exception.",
            "Report the message and the version; the recorded exchanges show what was received."),
        new(ConnectionFailed, CodeKind.Unreachable,
            "The server could not be reached, or the connection was lost before the response was complete.",
            "Check the network, the proxy and the name in the message, and run again."),
        new(CountsDiffer, CodeKind.Incomplete,
            "The provider counts another number of rows than it returned, for example because the caller may not see all of them.",
            "Grant the caller access to every row, and run again; rows that change while they are read have the same effect."),
        new(EndlessPages, CodeKind.Malformed,
            "Reading stopped because too many consecutive pages were empty but pointed to a next page.",
            "Run again later; if the problem persists, report it to the provider, because the list cannot be read completely."),
        new(InputUnreadable, CodeKind.Input,
            "A supplied file is not a table with the columns that the control needs.",
            "Correct the file at the line in the message, or ask its owner for another export."),
        new(InvalidEndpoint, CodeKind.Input,
            "A variable or a profile names an endpoint that is not an HTTP address of the API.",
            "Correct or unset the setting that the message names."),
        new(InvalidParameter, CodeKind.Input,
            "A parameter is missing, is unknown to the operation, or has the wrong form.",
            "Correct the control as the message says; `auditcli controls columns` lists what an operation takes."),
        new(InvalidProxy, CodeKind.Input,
            "A setting names a proxy whose address or kind cannot be used.",
            "Correct or unset the setting that the message names."),
        new(MalformedResponse, CodeKind.Malformed,
            "A response is incomplete, or does not have the form of the API, so it was not accepted as evidence.",
            "Look at the raw response with `auditcli show`: a page from a proxy is a network problem, and a new response form of the provider "
            + "needs a newer version."),
        new(MemberNotSeen, CodeKind.Input,
            "A control's `keep` or `where` compares a member that none of the rows has, so it is not known which of them it means.",
            "Correct the path in the control; if it is right, take the condition out and filter in the SQL of the test."),
        new(NextPageUnreadable, CodeKind.Malformed,
            "A response says that more follows, but the next page cannot be requested.",
            "Run again; if the problem persists, the list cannot be read completely with this operation."),
        new(NoAnswer, CodeKind.Unreachable,
            "`auditcli doctor` stopped waiting for a first response; no other command gives this code, and a single request that takes too "
            + "long has the code TimedOut.",
            "Run doctor again; `auditcli run` limits the time of each request instead."),
        new(NoCredentials, CodeKind.Denied,
            "There are no credentials, or those found could not be read or did not yield a token.",
            "Sign in as the message says, and check with `auditcli doctor`."),
        new(NoParentValue, CodeKind.Incomplete,
            "A row of the parent table has no value, or none that fits, for a parameter taken from it, so no request was made for that row.",
            "Look at that row of the parent table; the control may have to use another column."),
        new(NoRecording, CodeKind.Refused,
            "A re-performance or a replay needs a response that the bundle does not contain; it never requests one from the network.",
            "Re-perform with the controls and the engagement of the bundle; what was not recorded needs a new run."),
        new(ParentNotRead, CodeKind.Incomplete,
            "The operation is called for each row of a parent table, and that table is incomplete, so this one is incomplete too.",
            "Resolve the failure of the parent table; this one follows from it."),
        new(PartialAnswer, CodeKind.Incomplete,
            "The provider reports that its response is partial, for example because a zone did not respond.",
            "Run again when the part that the message names is reachable."),
        new(Redirected, CodeKind.Unreachable,
            "The server redirected the request to another address, to which it was not sent.",
            "Check the endpoint, the region and the proxy; redirects are never followed."),
        new(RefusedReadOnly, CodeKind.Refused,
            "The operation or the request is not in the read-only catalogue, so it was not sent.",
            "Use an operation of the catalogue; no setting lifts this restriction."),
        new(RepeatedRow, CodeKind.Incomplete,
            "A list returned the same row twice. Pages without a fixed order repeat some rows and omit others.",
            "Run again; if the problem persists, ask for rows in a fixed order, and for the column that tells them apart."),
        new(RepeatedToken, CodeKind.Malformed,
            "A response repeats an earlier page token, so reading on would never end.",
            "Run again; if the problem persists, report it to the provider, because the list cannot be read completely."),
        new(ResponseTooLarge, CodeKind.Refused,
            "A response is larger than the limit, so it was neither stored nor read.",
            "Request less in one response, for example with a filter or a smaller page."),
        new(StatedRowsDiffer, CodeKind.Unproven,
            "A supplied file does not have the number of rows that the engagement states.",
            "Ask the file's owner which number is right, and correct the file or `stated_rows`."),
        new(StatedTotalsDiffer, CodeKind.Unproven,
            "A column of a supplied file does not have the total that the engagement states.",
            "Ask the file's owner which total is right, and correct the file or `stated_totals`."),
        new(Status, CodeKind.Unreachable,
            "An HTTP API, or a proxy in front of it, responded with this HTTP status and without an error code of its own; nnn, HTTPnnn and "
            + "Httpnnn of other sources mean the same.",
            "Look at the raw response with `auditcli show`; 401 and 403 are denials, 429 means too many requests, and 5xx may be "
            + "temporary.") { HasStatus = true },
        new(TimedOut, CodeKind.Unreachable,
            "There was no complete response within the time limit of a request.",
            "Check the network and the provider's status, and run again."),
        new(UntrustedServer, CodeKind.Unreachable,
            "The server did not prove its identity, or the trusted certificate authorities cannot be read.",
            "If you trust the issuing authority, name it in the setting that the message gives."),
        new(ValueDoesNotFit, CodeKind.Malformed,
            "A value does not fit the type of its column, so the cell is not in the table.",
            "Correct the cell of a supplied file; in a provider's response, look at the raw value with `auditcli show`."),
    ];

    /// <summary>Returns the code of a response of an HTTP API without a code of its own.</summary>
    public static string OfStatus(int status) => Status + status.ToString(CultureInfo.InvariantCulture);

    /// <summary>Every code of the collectors, in the order of <see cref="OwnCode.Shown"/>.</summary>
    public static ImmutableArray<OwnCode> All { get; } =
    [
        .. OfEverySource.Concat(CollectorCatalog.All.SelectMany(c => c.Codes)).OrderBy(c => c.Shown, StringComparer.Ordinal),
    ];
}
