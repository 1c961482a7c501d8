using System.Collections.Immutable;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Evaluation;

/// <summary>A change in how evidence is read or judged, so that an older bundle may be evaluated differently today.</summary>
/// <param name="Since">The first evaluation number that has the rule.</param>
/// <param name="Id">Its short name: lower-case words joined by '-'.</param>
/// <param name="Says">What is different since then, as one sentence that an auditor understands.</param>
/// <param name="Changes">
/// What it may change: <c>tables MEMBER</c> for a member of an index line (or a row's column), <c>results MEMBER</c> for a member
/// of results.json or of a test's rows. A difference in anything else is never excused by this rule.
/// </param>
public sealed record EvaluationRule(int Since, string Id, string Says, ImmutableArray<string> Changes)
{
    /// <summary>The sign that a completeness check now disagrees.</summary>
    public const string Disagrees = "disagrees";

    /// <summary>The sign that deviations are now indicated.</summary>
    public const string Indicated = "indicated";

    /// <summary>The sign that the bundle's table of calls has the same question several times, each with exchanges of its own.</summary>
    public const string AskedAgain = "asked again";

    /// <summary>
    /// Limits the rule to places where one of these signs is found: an operation of the evidence that differs (<c>file</c> for an
    /// input), a code of a failure or limitation, or one of the constants above. Empty means everywhere. Without it a rule would
    /// excuse an edited verdict anywhere.
    /// </summary>
    public ImmutableArray<string> OnlyWith { get; init; } = [];

    /// <summary>Whether the rule can be the reason for a difference at a path of that part.</summary>
    /// <param name="part"><c>tables</c> or <c>results</c>.</param>
    /// <param name="path">Members and names, joined by blanks.</param>
    /// <param name="signs">The signs found at the place of the difference, as in <see cref="OnlyWith"/>.</param>
    public bool Explains(string part, string path, IReadOnlyCollection<string> signs) =>
        (OnlyWith.IsEmpty || OnlyWith.Any(signs.Contains)) && path.Split(' ').Any(word => Changes.Contains($"{part} {word}"));
}

/// <summary>
/// Lists the rules of evaluation, by number. <c>run.json</c> states the number under which its results were made; bundles from
/// before the number existed are number 1. Re-performing a bundle under a later number names each difference with its rule.
/// </summary>
/// <remarks>
/// To change a verdict, a count, an item, a table or an index line that a sealed bundle already has: add a rule with the next number
/// (several changes of one release share it), and look at <c>OldBundleTests</c>, which reads and re-performs the bundles of
/// <c>tests/Shared/bundles</c>, one for each number that was ever released.
/// </remarks>
public static class EvaluationRules
{
    /// <summary>The number of the current rules.</summary>
    public const int Current = 2;

    /// <summary>Every rule, in the order in which they were added.</summary>
    public static ImmutableArray<EvaluationRule> All { get; } =
    [
        new(2, "read-by-the-servers-clocks",
            "The time at which evidence was read comes from the servers' clocks (the Date header); where responses carry no date, it comes from "
            + "the collecting machine's clock, corrected by its offset.",
            [
                "tables read_from", "tables read_until", "tables clock_offset_seconds",
                "results read_from", "results read_until", "results clock_limit_seconds", "results clock_offset_seconds",
            ]),
        new(2, "state-read-away",
            "Whether a state was read too far from the as-of time is judged by the servers' clocks.",
            [.. Concluded, "results limitations"]) { OnlyWith = [LimitationCodes.StateReadAway] },
        new(2, "first-to-last-request",
            "An evidence item starts with the first of all its requests and ends with the last, in whatever order they were answered.",
            ["tables started", "tables finished"]),
        new(2, "clock-limit",
            "A test of a state is not concluded if the collecting machine's clock differed from the servers' by more than a tenth of the "
            + "tolerance (at most 5 minutes), or could not be compared with theirs.",
            [.. Concluded, "results limitations"]) { OnlyWith = [LimitationCodes.ClockDiffers, LimitationCodes.ClockNotCompared] },
        new(2, "mode-of-a-test", "Each test states whether it covers a state or the period.", ["results mode"]),
        new(2, "text-whole",
            "A text is no longer cut off at the character U+0000, so names that differ only after it are different items.",
            ["results item", "results reason", "results attributes"]),
        new(2, "inputs-cleaned",
            "Keys, dates, times and booleans in supplied files are read without invisible characters and without white space at their ends, and "
            + "empty rows at the end of a file are left out.",
            [.. Rows, "tables notes", "results notes", .. Concluded]) { OnlyWith = ["file"] },
        new(2, "input-cells",
            "A cell that does not fit its column is reported with the file's own path and line; in a register of approvals it is a note and no "
            + "longer makes the evidence incomplete.",
            [.. Answers, "tables notes", .. Concluded, "results limitations", "results notes"]) { OnlyWith = ["file"] },
        new(2, "approvals-vouched-for",
            "An approval does not count if its approver or reason is blank, invisible or a filler such as 'n/a', if its approver is not the name of a "
            + "person, if the preparer gave it, however the name is written, or "
            + "if it approves everything at once; a test whose register of approvals is incomplete is not concluded.",
            [.. Concluded, "results waivers"]) { OnlyWith = ["file"] },
        new(2, "taken-as-none-is-said",
            "Codes that a control accepts as 'there is none' are listed, with the calls that returned them.",
            ["tables taken_as_none", "results notes"]),
        new(2, "deleted-member",
            "The name of a deleted Google Cloud member ends before the last ?uid= in it, because an earlier ?uid= is part of the name.",
            [.. Rows, "tables member_id", .. Concluded]) { OnlyWith = ["iam_bindings"] },
        new(2, "whole-engagement",
            "A test over the whole engagement is not concluded if --target left out a target, and is incomplete if exclude_accounts left out an "
            + "account; before, the conclusion was drawn from the part that was read.",
            [.. Concluded, "results limitations"]) { OnlyWith = [LimitationCodes.TargetLeftOut, LimitationCodes.AccountLeftOut] },
        new(2, "counts-agree-in-each-account",
            "In a control over the whole engagement, two counts must agree in every account, not only in total.",
            [.. Concluded, "results completeness"]) { OnlyWith = [EvaluationRule.Disagrees] },
        new(2, "counts-are-compared-exactly",
            "Two counts are compared digit by digit; counts of types that can only be compared after a conversion, which may round one of them, "
            + "are an error of the check.",
            [.. Concluded, "results completeness", "results agree", "results error", "results left", "results right", "results population"])
            { OnlyWith = [EvaluationRule.Disagrees] },
        new(2, "absent-rows-do-not-stand",
            "A deviation that may be caused by a row that was not read (NOT EXISTS, NOT IN, EXCEPT; EXISTS or IN in a verdict) is only "
            + "indicated while that evidence is incomplete.",
            Concluded) { OnlyWith = [EvaluationRule.Indicated] },
        new(2, "readable-parts-are-kept",
            "A table built from several lists (pod_templates, rbac_effective, aws_auth, iam_bindings) keeps the rows of the parts that could be "
            + "read; before, reading stopped at the first part that could not be read.",
            [
                .. Answers, .. Rows, "tables exchanges", "tables started", "tables finished", "tables rows", "tables role_missing",
                .. Concluded, .. Populations,
            ]) { OnlyWith = ["pod_templates", "rbac_effective", "aws_auth", "iam_bindings"] },
        new(2, "pod-templates-ended",
            "pod_templates states how many replicas of a template are requested, and whether its Job has ended.",
            [.. Rows, "tables replicas", "tables finished"]) { OnlyWith = ["pod_templates"] },
        new(2, "tls-failures-say-why",
            "The message about a connection that could not be secured states the reason; a refused certificate has the code UntrustedServer for "
            + "every source, any other failure ConnectionFailed.",
            [.. Answers, "results limitations"]) { OnlyWith = ["UntrustedServer", "ConnectionFailed"] },
        new(2, "regions-not-enabled",
            "A region that refuses valid AWS credentials as invalid has the code RegionNotEnabled, and the message names the region.",
            [.. Answers, "results limitations"]) { OnlyWith = ["RegionNotEnabled"] },
        new(2, "trail-files-whole",
            "Files named by CloudTrail's backfill digests are read, an event delivered more than once is one event, and a file without events "
            + "no longer ends the reading of the others.",
            [.. Answers, .. Rows, "tables exchanges", "tables finished", .. Concluded, .. Populations]) { OnlyWith = ["cloudtrail:TrailFiles"] },
        new(2, "odd-answers",
            "A response from AWS or Google is a limitation if it has two members of the same name, an element that is not a row, an unpaired "
            + "surrogate, or neither the list nor the flag that says whether more follows; one that starts with a byte order mark is read.",
            [.. Answers, .. Rows, .. Concluded, .. Populations]) { OnlyWith = ["MalformedResponse", Misfit.Code] },
        new(2, "rows-of-long-answers-name-their-exchange",
            "Rows after the first thousand of a credential report or trail file name the record of their exchange; before, they gave only their "
            + "place in it.",
            [.. Rows, "tables _ref"]) { OnlyWith = ["iam:GetCredentialReport", "cloudtrail:TrailFiles"] },
        new(2, "answers-about-another",
            "A response from IAM about a user, group, role or policy other than the requested one is a limitation.",
            [.. Answers, .. Rows, .. Concluded, .. Populations]) { OnlyWith = ["AnotherName"] },
        new(2, "whole-answers",
            "A response that is incomplete, or not a response of the API, is a limitation: one with a status other than 200, of another kind, "
            + "without the list that the API always sends, with unknown members in place of the API's own or with members in another case, with a "
            + "page token or remaining count that cannot be followed, or in a series of empty pages that never ends.",
            [
                .. Answers, .. Rows, "tables exchanges", "tables finished", .. Concluded, .. Populations,
            ]) { OnlyWith = ["MalformedResponse", "NextPageUnreadable", "EndlessPages"] },
        new(2, "old-answers",
            "A response from a cache counts as read at the time at which the cache obtained it, and a state is not concluded from a response "
            + "that is older than tolerated or marked as out of date.",
            [
                "tables read_from", "tables read_until", "tables answer_age_seconds", "tables stale_answers",
                "results read_from", "results read_until", "results answer_age_seconds", "results stale_answers", .. Concluded, "results limitations",
            ]) { OnlyWith = [LimitationCodes.OldAnswer, LimitationCodes.StateReadAway] },
        new(2, "server-warnings", "Warnings that a server sends with a response (Warning 299) are notes.", ["tables notes", "results notes"]),
        new(2, "audit-logs-only",
            "Of Google Cloud's logs, only the audit logs are read, and a filter that could match other entries is refused.",
            [.. Answers, .. Rows, "tables exchanges", "tables started", "tables finished", .. Concluded, .. Populations]) { OnlyWith = ["RefusedReadOnly"] },
        new(2, "no-credential-in-rows",
            "Text that looks like a credential only after a test's SQL has joined texts is replaced in the rows; in an item's name it is an "
            + "error of the test.",
            ["results reason", "results attributes"]),
        new(2, "recording-ends",
            "A retried call whose recording ends keeps its last failure.",
            [.. Answers, "results limitations"]) { OnlyWith = ["NoRecording"] },
        new(2, "each-question-once",
            "Rows of a parent table that pass on the same values share one request; before, the same request was sent again for each of them.",
            [
                .. Answers, .. Rows, "tables calls_sha256", "tables started", "tables finished", "tables redactions", "tables redacted",
                "tables taken_as_none", "results limitations", "results notes",
            ]) { OnlyWith = [EvaluationRule.AskedAgain] },
    ];

    /// <summary>Members that follow from another verdict.</summary>
    private static ImmutableArray<string> Concluded =>
    [
        "results conclusion", "results deviations", "results approved", "results undetermined", "results indicated", "results verdict",
        "results exception_id", "results reason", "results rows_sha256",
    ];

    /// <summary>Members that follow from other rows of a table, besides verdicts.</summary>
    private static ImmutableArray<string> Populations => ["results limitations", "results completeness", "results population", "results item"];

    /// <summary>Members of an index line about the responses.</summary>
    private static ImmutableArray<string> Answers => ["tables outcome", "tables code", "tables message", "tables failures", "tables pages"];

    /// <summary>Members of an index line about the table.</summary>
    private static ImmutableArray<string> Rows => ["tables items", "tables table", "tables table_sha256"];

    /// <summary>Returns the rules that did not exist when a bundle of that number was made.</summary>
    public static ImmutableArray<EvaluationRule> After(int evaluation) => [.. All.Where(r => r.Since > evaluation)];
}
