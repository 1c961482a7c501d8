using System.Collections.Immutable;
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
    public const string CollectorFault = "CollectorFault";
    public const string ConnectionFailed = "ConnectionFailed";
    public const string EndlessPages = "EndlessPages";
    public const string InputUnreadable = "InputUnreadable";
    public const string InvalidEndpoint = "InvalidEndpoint";
    public const string InvalidParameter = "InvalidParameter";
    public const string InvalidProxy = "InvalidProxy";
    public const string MalformedResponse = "MalformedResponse";
    public const string NextPageUnreadable = "NextPageUnreadable";
    public const string NoAnswer = "NoAnswer";
    public const string NoCredentials = "NoCredentials";
    public const string NoParentValue = "NoParentValue";
    public const string NoRecording = "NoRecording";
    public const string ParentNotRead = "ParentNotRead";
    public const string Redirected = "Redirected";
    public const string RefusedReadOnly = "RefusedReadOnly";
    public const string RepeatedToken = "RepeatedToken";
    public const string ResponseTooLarge = "ResponseTooLarge";
    public const string StatedRowsDiffer = "StatedRowsDiffer";
    public const string StatedTotalsDiffer = "StatedTotalsDiffer";
    public const string TimedOut = "TimedOut";
    public const string UntrustedServer = "UntrustedServer";
    public const string ValueDoesNotFit = Evidence.Tables.Misfit.Code;

    private static ImmutableArray<OwnCode> OfEverySource =>
    [
        new(AccountNotEntered, CodeKind.Incomplete,
            "An account that the target lists could not be connected to, so nothing was read in it.",
            "The evidence planned for the account says why; allow the connection, or exclude the account in the engagement."),
        new(CollectorFault, CodeKind.Fault,
            "AuditCli itself failed while it sent a request or read a response; the message names the exception.",
            "Report the message and the version; the recorded exchanges show what came."),
        new(ConnectionFailed, CodeKind.Unreachable,
            "The server could not be reached, or the connection broke before the response was whole.",
            "Check the network, the proxy and the name in the message, and run again."),
        new(EndlessPages, CodeKind.Malformed,
            "So many pages in a row were empty and named a next one that reading was given up.",
            "Run again later; if it stays so, report it to the provider, because the list cannot be read whole."),
        new(InputUnreadable, CodeKind.Input,
            "A supplied file is not a table with the columns that the control needs.",
            "Correct the file at the line in the message, or ask its owner for another export."),
        new(InvalidEndpoint, CodeKind.Input,
            "A variable or a profile names an endpoint that is not an HTTP address of the API.",
            "Correct or unset the setting that the message names."),
        new(InvalidParameter, CodeKind.Input,
            "A parameter is missing, is unknown to the operation, or has another form than it takes.",
            "Correct the control as the message says; `auditcli controls columns` lists what an operation takes."),
        new(InvalidProxy, CodeKind.Input,
            "A setting names a proxy whose address or kind cannot be used.",
            "Correct or unset the setting that the message names."),
        new(MalformedResponse, CodeKind.Malformed,
            "A response is not whole, or not in the form that the API has, so it was not taken as evidence.",
            "Look at the raw response with `auditcli show`: a proxy's page is a matter of the network, and a provider's new form needs a newer version."),
        new(NextPageUnreadable, CodeKind.Malformed,
            "A response says that more follows, and the next page cannot be asked for.",
            "Run again; if it stays so, the list cannot be read whole with this operation."),
        new(NoAnswer, CodeKind.Unreachable,
            "`auditcli doctor` stopped waiting for a first response; no other command gives this code, and a single request that takes too long is TimedOut.",
            "Run doctor again; a run limits each request instead."),
        new(NoCredentials, CodeKind.Denied,
            "There are no credentials, or those found could not be read or did not give a token.",
            "Sign in as the message says, and check with `auditcli doctor`."),
        new(NoParentValue, CodeKind.Incomplete,
            "A row of the parent table has no value for a parameter that is taken from it, so nothing was asked for that row.",
            "Look at that row of the parent table; the control may have to take another column."),
        new(NoRecording, CodeKind.Refused,
            "A re-performance or a replay needs a response that the bundle does not hold, and does not ask the network for it.",
            "Re-perform with the controls and the engagement of the bundle; what was not recorded needs a new run."),
        new(ParentNotRead, CodeKind.Incomplete,
            "The table for whose rows the operation is called is not complete, so this one is not either.",
            "Resolve the failure of the parent table; this one follows from it."),
        new(Redirected, CodeKind.Unreachable,
            "The server redirected the request to another place, where it was not sent.",
            "Check the endpoint, the region and the proxy; redirects are never followed."),
        new(RefusedReadOnly, CodeKind.Refused,
            "The operation or the request is not in the read-only catalogue, so it was not sent.",
            "Ask for an operation of the catalogue; no setting lifts this."),
        new(RepeatedToken, CodeKind.Malformed,
            "A response gives a page token that it gave before, so reading on would never end.",
            "Run again; if it stays so, report it to the provider, because the list cannot be read whole."),
        new(ResponseTooLarge, CodeKind.Refused,
            "A response is larger than the limit, so it was neither stored nor read.",
            "Ask for less in one response, for example with a filter or a smaller page."),
        new(StatedRowsDiffer, CodeKind.Unproven,
            "A supplied file has another number of rows than the engagement states.",
            "Ask the file's owner which is right, and correct the file or `stated_rows`."),
        new(StatedTotalsDiffer, CodeKind.Unproven,
            "A column of a supplied file has another total than the engagement states.",
            "Ask the file's owner which is right, and correct the file or `stated_totals`."),
        new(TimedOut, CodeKind.Unreachable,
            "There was no whole response within the time limit of a request.",
            "Check the network and the provider's status, and run again."),
        new(UntrustedServer, CodeKind.Unreachable,
            "The server did not prove its identity, or the authorities to trust cannot be read.",
            "Name the issuing authority in the setting that the message gives, if it is one that you trust."),
        new(ValueDoesNotFit, CodeKind.Malformed,
            "A value does not fit the type of its column, so the cell is not in the table.",
            "Correct the cell of a supplied file; in a provider's response, look at the raw value with `auditcli show`."),
    ];

    /// <summary>Every code of the collectors, in the order of <see cref="OwnCode.Shown"/>.</summary>
    public static ImmutableArray<OwnCode> All { get; } =
    [
        .. OfEverySource.Concat(CollectorCatalog.All.SelectMany(c => c.Codes)).OrderBy(c => c.Shown, StringComparer.Ordinal),
    ];
}
