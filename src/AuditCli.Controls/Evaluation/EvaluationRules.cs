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
            "When evidence was read is told by the servers' own clocks (Date), and by the collecting machine's, corrected, where answers say no time.",
            [
                "tables read_from", "tables read_until", "tables clock_offset_seconds",
                "results read_from", "results read_until", "results clock_limit_seconds", "results clock_offset_seconds",
            ]),
        new(2, "state-read-away",
            "Whether a state was read too far from its moment is told by the servers' clocks.",
            [.. Concluded, "results limitations"]) { OnlyWith = [LimitationCodes.StateReadAway] },
        new(2, "first-to-last-request",
            "An evidence item begins with the first and ends with the last of all its requests, in whatever order they were answered.",
            ["tables started", "tables finished"]),
        new(2, "clock-limit",
            "A state is not concluded where the collecting machine's clock was further from the servers' than a tenth of the tolerance, "
            + "at most 5 minutes, or was compared with none.",
            [.. Concluded, "results limitations"]) { OnlyWith = [LimitationCodes.ClockDiffers, LimitationCodes.ClockNotCompared] },
        new(2, "mode-of-a-test", "Each test says whether it speaks of a state or of the period.", ["results mode"]),
        new(2, "text-whole",
            "A text is not cut at the character U+0000 any more, so that names that differ only after it are different items.",
            ["results item", "results reason", "results attributes"]),
        new(2, "inputs-cleaned",
            "Keys, dates, times and booleans of supplied files are read without invisible characters and white space at their ends, and empty rows at "
            + "the end are left out.",
            [.. Rows, "tables notes", "results notes", .. Concluded]) { OnlyWith = ["file"] },
        new(2, "input-cells",
            "A cell that does not fit is named by the file's own path and line, and in a register of approvals it is a note instead of a gap.",
            [.. Answers, "tables notes", .. Concluded, "results limitations", "results notes"]) { OnlyWith = ["file"] },
        new(2, "approvals-vouched-for",
            "An approval in whose approver or reason nobody sees anything does not count, nor one by the preparer or of everything at once, and a test "
            + "with approvals of a register that is not whole is not concluded.",
            [.. Concluded, "results waivers"]) { OnlyWith = ["file"] },
        new(2, "taken-as-none-is-said",
            "Codes that a control takes for 'there is none' are listed with the calls that were answered so.",
            ["tables taken_as_none", "results notes"]),
        new(2, "deleted-member",
            "The name of a deleted member of Google Cloud ends before its last ?uid=, since one before that is part of the name.",
            [.. Rows, "tables member_id", .. Concluded]) { OnlyWith = ["iam_bindings"] },
        new(2, "whole-engagement",
            "A test over the whole engagement is not concluded where --target left a target out, and is incomplete where exclude_accounts left an "
            + "account out; before, the part was concluded from.",
            [.. Concluded, "results limitations"]) { OnlyWith = [LimitationCodes.TargetLeftOut, LimitationCodes.AccountLeftOut] },
        new(2, "counts-agree-in-each-account",
            "In a control over the whole engagement two counts must agree in every account and not only in their sums.",
            [.. Concluded, "results completeness"]) { OnlyWith = [EvaluationRule.Disagrees] },
        new(2, "absent-rows-do-not-stand",
            "A deviation that a row which was not read may have made (NOT EXISTS, NOT IN, EXCEPT; EXISTS or IN in a verdict) is indicated while that "
            + "evidence is incomplete.",
            Concluded) { OnlyWith = [EvaluationRule.Indicated] },
        new(2, "readable-parts-are-kept",
            "A table made of several lists (pod_templates, rbac_effective, aws_auth, iam_bindings) keeps the rows of the parts that could be read; "
            + "before, the first part that could not be read ended it.",
            [
                .. Answers, .. Rows, "tables exchanges", "tables started", "tables finished", "tables rows", "tables role_missing",
                .. Concluded, .. Populations,
            ]) { OnlyWith = ["pod_templates", "rbac_effective", "aws_auth", "iam_bindings"] },
        new(2, "pod-templates-ended",
            "pod_templates says how many replicas of a template are asked for, and whether its Job has ended.",
            [.. Rows, "tables replicas", "tables finished"]) { OnlyWith = ["pod_templates"] },
        new(2, "tls-failures-say-why",
            "A connection that could not be secured says why; a refused certificate has the code UntrustedServer for every source, all else ConnectionFailed.",
            [.. Answers, "results limitations"]) { OnlyWith = ["UntrustedServer", "ConnectionFailed"] },
        new(2, "regions-not-enabled",
            "A region that takes valid AWS credentials for invalid ones has the code RegionNotEnabled, and the message names the region.",
            [.. Answers, "results limitations"]) { OnlyWith = ["RegionNotEnabled"] },
        new(2, "trail-files-whole",
            "Files that CloudTrail's backfill digests name are read, an event that was delivered again is one event, and a file without events does not "
            + "end the reading of the others.",
            [.. Answers, .. Rows, "tables exchanges", "tables finished", .. Concluded, .. Populations]) { OnlyWith = ["cloudtrail:TrailFiles"] },
        new(2, "odd-answers",
            "An answer of AWS or Google with two members of one name, with an element that is no row, with half of a surrogate pair, or with neither the "
            + "list nor the flag that says whether more follows, is a limitation; one after a byte order mark is read.",
            [.. Answers, .. Rows, .. Concluded, .. Populations]) { OnlyWith = ["MalformedResponse", Misfit.Code] },
        new(2, "rows-of-long-answers-name-their-exchange",
            "Rows after the first thousand of one credential report or trail file name the record of their exchange; before, only their place in it.",
            [.. Rows, "tables _ref"]) { OnlyWith = ["iam:GetCredentialReport", "cloudtrail:TrailFiles"] },
        new(2, "answers-about-another",
            "An answer of IAM about another user, group, role or policy than was asked about is a limitation.",
            [.. Answers, .. Rows, .. Concluded, .. Populations]) { OnlyWith = ["AnotherName"] },
        new(2, "whole-answers",
            "An answer that is not whole or none is a limitation: of a status other than 200, of another kind, without the list that the API always writes, "
            + "with members the API does not have in place of those it has or in another case, with a token or a count of what follows that cannot be "
            + "followed, and pages without rows that never end.",
            [
                .. Answers, .. Rows, "tables exchanges", "tables finished", .. Concluded, .. Populations,
            ]) { OnlyWith = ["MalformedResponse", "NextPageUnreadable", "EndlessPages"] },
        new(2, "old-answers",
            "An answer out of a cache is of the moment at which the cache got it, and a state of one that was older than tolerated, or that says it is out of "
            + "date, is not concluded.",
            [
                "tables read_from", "tables read_until", "tables answer_age_seconds", "tables stale_answers",
                "results read_from", "results read_until", "results answer_age_seconds", "results stale_answers", .. Concluded, "results limitations",
            ]) { OnlyWith = [LimitationCodes.OldAnswer, LimitationCodes.StateReadAway] },
        new(2, "server-warnings", "What a server warns of in an answer (Warning 299) is a note.", ["tables notes", "results notes"]),
        new(2, "audit-logs-only",
            "Of Google Cloud's logs those of the audit trail are read, and a filter that could match other entries is refused.",
            [.. Answers, .. Rows, "tables exchanges", "tables started", "tables finished", .. Concluded, .. Populations]) { OnlyWith = ["RefusedReadOnly"] },
        new(2, "no-credential-in-rows",
            "What looks like a credential once a test's SQL has put texts together is replaced in the rows, and in an item's name is an error of the test.",
            ["results reason", "results attributes"]),
        new(2, "recording-ends",
            "A call that was repeated and whose recording ends keeps its last failure.",
            [.. Answers, "results limitations"]) { OnlyWith = ["NoRecording"] },
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
