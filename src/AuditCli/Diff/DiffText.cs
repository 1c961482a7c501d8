using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using AuditCli.Bundles;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Text;

namespace AuditCli.Diff;

/// <summary>Formats the result of <c>diff</c>: text for people, Markdown for a ticket or a CI job, JSON for programs.</summary>
internal static class DiffText
{
    private const int MostProblems = 10;
    private const int Most = 100;
    private const int Cell = 300;
    private const int LongestLine = 2000;

    private static readonly ImmutableArray<(ExceptionState State, string Word, string Heading)> States =
    [
        (ExceptionState.New, "new", "NEW"),
        (ExceptionState.Reappeared, "reappeared", "REAPPEARED"),
        (ExceptionState.StillOpen, "still_open", "STILL OPEN"),
        (ExceptionState.SeenLess, "seen_less", "NOT FIXED, SEEN LESS: the later bundle read too little to tell"),
        (ExceptionState.OtherRule, "other_rule", "NO LONGER AN EXCEPTION, UNDER ANOTHER RULE: the control or a parameter changed"),
        (ExceptionState.Approved, "approved", "APPROVED NOW"),
        (ExceptionState.Fixed, "fixed", "FIXED"),
    ];

    public static void Write(TextWriter output, BundleDiff diff)
    {
        void Line(string text) => output.WriteLine(PrintableText.Of(text, LongestLine));
        foreach (var line in Heads(diff))
            Line(line);
        Line("");
        Line(Totals(diff));
        foreach (var (state, _, heading) in States)
        {
            ImmutableArray<ExceptionChange> of = [.. diff.Exceptions.Where(e => e.State == state)];
            List(heading, of, e =>
            {
                var because = Reason(e.Row) is { } reason ? $": {PrintableText.Of(reason, Cell)}" : "";
                Line($"  {e.Row.Id} {e.Row.Test} {e.Row.Account}  {PrintableText.Of(e.Row.Item, Cell)}{because}");
                if (e.Why is { } why)
                    Line($"    {PrintableText.Of(why, Cell)}");
                if (e.Row.Said is { } said)
                    Line($"    {PrintableText.Of(said, LongestLine)}");
            }, Indicated(of));
        }
        foreach (var (heading, changes) in Changes(diff))
            List(heading, changes, c => Line($"  {Sentence(c)}"));

        void List<T>(string heading, ImmutableArray<T> of, Action<T> one, string more = "")
        {
            if (of.IsEmpty)
                return;
            Line("");
            Line($"{heading} ({of.Length}{more})");
            foreach (var thing in of.Take(Most))
                one(thing);
            if (of.Length > Most)
                Line($"  and {of.Length - Most} more; --format json has them all");
        }
    }

    public static void WriteMarkdown(TextWriter output, BundleDiff diff)
    {
        output.WriteLine("# What happened to the exceptions");
        output.WriteLine();
        foreach (var line in Heads(diff))
            output.WriteLine($"- {Markdown.Escape(line, LongestLine)}");
        output.WriteLine();
        output.WriteLine($"**{Markdown.Escape(Totals(diff), LongestLine)}**");
        foreach (var (state, _, heading) in States)
        {
            var of = diff.Exceptions.Where(e => e.State == state).ToImmutableArray();
            if (of.IsEmpty)
                continue;
            output.WriteLine();
            output.WriteLine($"## {heading} ({of.Length}{Indicated(of)})");
            output.WriteLine();
            var isSaid = of.Any(e => e.Row.Said is not null);
            output.WriteLine($"| exception | test | account | item | why |{(isSaid ? " a person says |" : "")}");
            output.WriteLine($"|---|---|---|---|---|{(isSaid ? "---|" : "")}");
            foreach (var e in of.Take(Most))
            {
                var cells = new[] { e.Row.Id, e.Row.Test, e.Row.Account, e.Row.Item, Why(e) };
                output.WriteLine($"| {string.Join(" | ", cells.Select(c => Markdown.Escape(c, Cell)))} |"
                    + $"{(isSaid ? $" {Markdown.Escape(e.Row.Said ?? "", LongestLine)} |" : "")}");
            }
            if (of.Length > Most)
                output.WriteLine($"\nand {of.Length - Most} more");
        }
        foreach (var (heading, changes) in Changes(diff).Where(c => !c.Changes.IsEmpty))
        {
            output.WriteLine();
            output.WriteLine($"## {heading} ({changes.Length})");
            output.WriteLine();
            foreach (var change in changes.Take(Most))
                output.WriteLine($"- {Markdown.Escape(Sentence(change), LongestLine)}");
            if (changes.Length > Most)
                output.WriteLine($"- and {changes.Length - Most} more");
        }
    }

    public static string Json(BundleDiff diff) => new JsonObject
    {
        ["before"] = new JsonArray([.. diff.Before.Zip(diff.Verifications).Select(b => (JsonNode)Bundle(b.First, b.Second))]),
        ["after"] = Bundle(diff.After, diff.Verifications[^1]),
        ["exit_code"] = diff.ExitCode,
        ["counts"] = new JsonObject(States.Select(s => KeyValuePair.Create(s.Word, (JsonNode?)diff.Exceptions.Count(e => e.State == s.State)))),
        ["exceptions"] = new JsonArray([.. diff.Exceptions.Select(e => (JsonNode)new JsonObject
        {
            ["id"] = e.Row.Id,
            ["state"] = States.Single(s => s.State == e.State).Word,
            ["control"] = e.Row.Control,
            ["test"] = e.Row.Test,
            ["target"] = e.Row.Target,
            ["account"] = e.Row.Account,
            ["item"] = e.Row.Item,
            ["verdict"] = e.Row.Verdict,
            ["reason"] = e.Row.Reason,
            ["why"] = e.Why,
            ["disposition"] = e.Row.Said,
        })]),
        ["controls_changed"] = Array(diff.Controls),
        ["parameters_changed"] = Array(diff.Parameters),
        ["scope_shrank"] = Array(diff.Shrunk),
        ["newly_incomplete"] = Array(diff.Incomplete),
        ["counts_changed"] = Array(diff.Counts),
        ["answers"] = Array(diff.Answers),
        ["notes"] = new JsonArray([.. diff.Notes.Select(n => (JsonNode)n)]),
    }.ToJsonString(PrintedJson.Options);

    private static IEnumerable<string> Heads(BundleDiff diff) =>
    [
        .. diff.Before.Append(diff.After).Zip(diff.Verifications).Select((b, i) =>
            $"{(i == diff.Before.Length ? "after " : "before")} {b.First.Id}, as of {Rfc3339.Format(b.First.Record.Moment)}"
            + $"{(b.First.Record.IsReplay ? ", a REPLAY of recorded exchanges" : "")}: {Verified(b.Second)}"),
        .. diff.Notes.Select(n => $"note: {n}"),
    ];

    private static string Verified(Evidence.Verification.VerifyReport report) => report.Answer switch
    {
        VerifyAnswer.Holds => "verifies",
        VerifyAnswer.Fails => $"FAILS verification: {report.Problems.Select(p => $"{p.Code} {p.Path}").FirstOrDefault()}",
        _ => $"undecided: {report.Problems.Select(p => p.Message).FirstOrDefault() ?? "see auditcli verify"}",
    };

    private static string Totals(BundleDiff diff) => string.Join(", ", States
        .Select(s => (s.Word, Of: diff.Exceptions.Where(e => e.State == s.State).ToImmutableArray()))
        .Where(s => s.Of.Length > 0)
        .Select(s => string.Create(
            CultureInfo.InvariantCulture,
            $"{s.Of.Length} {s.Word.Replace('_', ' ')}{(Indicated(s.Of) is { Length: > 2 } some ? $" ({some[2..]})" : "")}"))
        .DefaultIfEmpty("no exceptions, before or now"));

    private static IEnumerable<(string Heading, ImmutableArray<ScopeChange> Changes)> Changes(BundleDiff diff) =>
    [
        ("SCOPE SHRANK", diff.Shrunk),
        ("EVIDENCE NEWLY INCOMPLETE", diff.Incomplete),
        ("CONTROLS CHANGED", diff.Controls),
        ("PARAMETERS CHANGED", diff.Parameters),
        ("COUNTS CHANGED", diff.Counts),
        ("WHAT PEOPLE ANSWERED", diff.Answers),
    ];

    /// <summary>Returns how many of the exceptions are only indicated, as text that follows their number; empty if none is.</summary>
    private static string Indicated(ImmutableArray<ExceptionChange> of) =>
        of.Count(e => e.Row.IsIndicated) is > 0 and var some ? $", {some} of them indicated" : "";

    /// <summary>Returns why an open item is an exception, and marks what is only indicated; null for an item that is not open.</summary>
    private static string? Reason(KnownItem row) => !row.IsOpen ? null : row.IsIndicated ? $"indicated, not concluded: {row.Reason}" : row.Reason;

    private static string Why(ExceptionChange e) => e.Why is null ? Reason(e.Row) ?? "" : e.Row.IsIndicated ? $"indicated, not concluded: {e.Why}" : e.Why;

    private static string Sentence(ScopeChange change) =>
        $"{(change.Control.Length > 0 ? $"{change.Control}: " : "")}{change.What}: "
        + (change.Before is null ? change.After : change.After is null ? change.Before : $"{change.Before} -> {change.After}");

    private static JsonObject Bundle(OpenedBundle bundle, Evidence.Verification.VerifyReport report) => new()
    {
        ["bundle_id"] = bundle.Id,
        ["tagmanifest_sha256"] = bundle.Files.TagManifestSha256?.Hex,
        ["as_of"] = Rfc3339.Format(bundle.Record.Moment),
        ["mode"] = bundle.Record.Mode,
        ["verification_exit_code"] = ExitCode.Of(report),
        ["verification_problems"] = new JsonArray([.. report.Problems.Take(MostProblems).Select(p => (JsonNode)$"{p.Code} {p.Path}: {p.Message}")]),
    };

    private static JsonArray Array(ImmutableArray<ScopeChange> changes) => new([.. changes.Select(c => (JsonNode)new JsonObject
    {
        ["control"] = c.Control.Length > 0 ? c.Control : null,
        ["what"] = c.What,
        ["before"] = c.Before,
        ["after"] = c.After,
    })]);
}
