using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using Spectre.Console;

namespace AuditCli.Reports;

/// <summary>What a run prints at its end: per ITGC domain, each control with its counts, its conclusion and its first limitation.</summary>
internal static class RunSummary
{
    private const int CountsWidth = 11 + 11 + 9;
    private const int AccountsNamed = 5;
    private const int ConclusionWidth = 30;
    private const int MinTitleWidth = 40;
    private const int MaxTitleWidth = 66;

    /// <summary>The summary for people, no wider than the console where it can be helped.</summary>
    public static void Write(IAnsiConsole console, FinishedRun run)
    {
        var (engagement, facts, results) = (run.Prepared.Engagement, run.Facts, run.Results);
        if (facts.Recorded is { } recorded)
            Line(console, $"REPLAY of exchanges recorded {Second(recorded.First)} to {Second(recorded.Last)}", "bold yellow");
        Line(console, $"{engagement.Entity}, {engagement.Name}", "bold");
        Line(console, $"period {engagement.Period.Start:yyyy-MM-dd} to {engagement.Period.End:yyyy-MM-dd} ({engagement.Period.TimeZone}), as of {Second(facts.AsOf)}");
        foreach (var domain in results.Controls.GroupBy(c => c.Domain).OrderBy(g => g.Key))
        {
            console.WriteLine();
            WriteDomain(console, Wording.Name(domain.Key), [.. domain]);
        }
        WriteScope(console, run);
        console.WriteLine();
        Line(console, Totals(results), "bold");
        Line(console, $"bundle {run.Bundle.Path}");
        Line(console, $"tagmanifest sha256 {run.Bundle.TagManifestSha256}");
        foreach (var line in run.Signed is { } signed ? Commands.SealCommand.Describe(signed) : ["not signed"])
            Line(console, line);
    }

    /// <summary>The same as one JSON object, for <c>--output json</c>.</summary>
    public static string Json(FinishedRun run) => new JsonObject
    {
        ["bundle"] = run.Bundle.Path,
        ["tagmanifest_sha256"] = run.Bundle.TagManifestSha256.Hex,
        ["mode"] = run.Facts.Mode,
        ["signed"] = run.Signed is { } signed
            ? new JsonObject
            {
                ["head"] = signed.Head.Hex,
                ["sequence"] = signed.Sequence,
                ["stamped"] = signed.Stamped is { } at ? Evidence.Rfc3339.Format(at) : null,
                ["time_stamp_failures"] = new JsonArray([.. signed.TimeStampFailures.Select(f => (JsonNode)f)]),
            }
            : null,
        ["conclusions"] = new JsonObject(Enum.GetValues<Conclusion>().Select(c => (c, run.Results.Controls.Count(r => r.Conclusion == c)))
            .Where(c => c.Item2 > 0).Select(c => KeyValuePair.Create(Wording.Name(c.c), (JsonNode?)c.Item2))),
        ["controls"] = new JsonArray([.. run.Results.Controls.Select(c => (JsonNode)new JsonObject
        {
            ["id"] = c.Id,
            ["title"] = c.Title,
            ["conclusion"] = Wording.Name(c.Conclusion),
            ["population"] = c.Population,
            ["deviations"] = c.Deviations,
            ["approved"] = c.Approved,
            ["limitations"] = new JsonArray([.. Reasons(c).Select(r => (JsonNode)r)]),
        })]),
    }.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static void WriteDomain(IAnsiConsole console, string name, ImmutableArray<ControlResult> controls)
    {
        var idWidth = Math.Max(7, controls.Max(c => c.Id.Length)) + 2;
        var titleWidth = Math.Min(MaxTitleWidth, console.Profile.Width - idWidth - CountsWidth - ConclusionWidth);
        Line(console, name.ToUpperInvariant(), "bold");
        if (titleWidth >= MinTitleWidth)
            Line(console, $"{"control".PadRight(idWidth)}{"title".PadRight(titleWidth)}{"population",11}{"exceptions",11}{"approved",9} conclusion", "dim");
        foreach (var control in controls)
        {
            if (titleWidth >= MinTitleWidth)
                console.Write(new Text($"{control.Id.PadRight(idWidth)}{Cut(control.Title, titleWidth - 1).PadRight(titleWidth)}{control.Population,11}{control.Deviations,11}{control.Approved,9} "));
            else
            {
                // A narrow console has the title on a line of its own: nothing that counts is cut.
                Line(console, $"{control.Id.PadRight(idWidth)}{Cut(control.Title, console.Profile.Width - idWidth - 1)}");
                console.Write(new Text($"{"".PadRight(idWidth)}{Count(control.Population, "item")}, {Count(control.Deviations, "exception")}, {control.Approved} approved: "));
            }
            Line(console, Conclusion(control), Style(control.Conclusion));
            if (Reasons(control).FirstOrDefault() is { } reason)
                Line(console, $"{"".PadRight(idWidth)}{Cut(reason, console.Profile.Width - idWidth - 1)}", "dim");
        }
    }

    private static string Conclusion(ControlResult control) => control.Conclusion == Controls.Conclusion.Pass && control.Approved > 0
        ? $"PASS ({Count(control.Approved, "approved exception")})"
        : Wording.Name(control.Conclusion);

    /// <summary>Why a control could not conclude more than it did, what concerns the most first.</summary>
    private static IEnumerable<string> Reasons(ControlResult control) =>
    [
        .. control.NotApplicable is { } left ? [$"{left.Reason} (approved by {left.ApprovedBy} on {left.ApprovedOn:yyyy-MM-dd})"] : Array.Empty<string>(),
        .. control.Tests.Where(t => t.Error is not null).Select(t => $"test {t.Id} broke in {Place(t.Partition.Target, t.Partition.Account)}: {t.Error}"),
        // A table that lacks its parent's rows is the consequence, not the cause.
        .. control.Limitations.OrderBy(l => l.Code == PerParentCodes.ParentNotRead).Select(l => $"{l.Operation} in {Place(l.Target, l.Account)}{(l.Region.Length > 0 ? $" {l.Region}" : "")}: {l.Code}{(l.Count > 1 ? $", {l.Count} calls" : "")}: {l.Message}"),
        .. control.Tests.SelectMany(t => t.Completeness.Where(c => !c.Agree).Select(c => (t.Partition, Check: c))).DistinctBy(c => (c.Partition, c.Check.Name))
            .Select(c => $"{c.Check.Name}: {c.Check.Left ?? "unknown"} against {c.Check.Right ?? "unknown"} in {Place(c.Partition.Target, c.Partition.Account)}{(c.Check.Error is { } e ? $" ({e})" : "")}"),
        .. control.Undetermined > 0 ? [$"{control.Undetermined} of {control.Population} items could not be determined"] : Array.Empty<string>(),
    ];

    /// <summary>Everything that narrows the scope or differs from what was shipped, so that nothing weakens silently.</summary>
    private static void WriteScope(IAnsiConsole console, FinishedRun run)
    {
        var (facts, results) = (run.Facts, run.Results);
        // A target of thousands of projects takes one line.
        var entered = facts.Reached.Where(t => t.IsEntered && t.ReadThrough is null).ToImmutableArray();
        var many = entered.GroupBy(t => t.Target.Name, StringComparer.Ordinal)
            .Where(g => g.Count() > AccountsNamed).ToImmutableSortedDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);
        string[] notes =
        [
            .. facts.Reached.Where(t => t.Failure is not null).Select(t => NotEntered(t)),
            .. many.Select(g => $"target {g.Key} is {g.Value.Length} accounts ({string.Join(", ", g.Value.Take(AccountsNamed).Select(t => t.Connection!.Account))} and others, all in run.json), read as {g.Value[0].Connection!.Identity}"),
            .. entered.Where(t => !many.ContainsKey(t.Target.Name)).Select(t => $"target {t.Target.Name} is account {t.Account}, read as {t.Connection!.Identity}{(t.Connection.Regions.All(r => r == t.Connection.GlobalRegion) ? "" : $" in {string.Join(", ", t.Connection.Regions)}")}{(IsNarrowed(t) ? " (narrowed by the engagement)" : "")}"),
            // Most accounts of an organization have the same regions switched off.
            .. entered.Where(t => !t.Connection!.NotEnabled.IsEmpty).GroupBy(t => (t.Target.Name, Regions: string.Join(", ", t.Connection!.NotEnabled)))
                .Select(g => $"target {g.Key.Name}: not enabled in {(g.Count() > AccountsNamed ? $"{g.Count()} accounts" : string.Join(", ", g.Select(t => t.Account)))}, and not read: {g.Key.Regions}"),
            .. results.Controls.Where(c => c.Origin != ControlOrigin.Shipped).Select(c => $"{c.Id} is not the shipped control: {c.Origin.ToString().ToLowerInvariant()}, sha256 {c.Sha256.Hex[..16]}"),
            .. results.Controls.SelectMany(c => c.Parameters.Where(p => p.By is not null).Select(p => $"{c.Id}: {p.Name} is {p.Value.GetRawText()}, set by {p.By}: {p.Why}")),
            .. results.NotTested.Select(n => $"not tested: {n.Id}: {n.Reason}"),
            .. facts.UnusualEndpoints.Select(e => $"endpoint that is not the provider's own: {e}"),
            .. facts.Leaks.Select(l => $"sealed although it holds what looks like a credential: {l.File}"),
            .. facts.Unused.Select(u => $"{u.Count} recorded answers of {u.File} were not asked for"),
        ];
        if (notes.Length == 0)
            return;
        console.WriteLine();
        Line(console, "SCOPE", "bold");
        foreach (var note in notes)
            Line(console, note);
    }

    private static string NotEntered(AuditCli.Collectors.ReachedTarget target) => target.Account.Length > 0
        ? $"account {target.Account} of target {target.Target.Name} could not be entered: {target.Failure!.Code}"
        : target.Connection is null ? $"target {target.Target.Name} could not be entered: {target.Failure!.Code}"
        : $"target {target.Target.Name}: {target.Failure!.Message}";

    private static bool IsNarrowed(AuditCli.Collectors.ReachedTarget target) =>
        target.Target.Settings.TryGetValue("regions", out var regions) && regions is not ["enabled"];

    private static string Totals(EvaluationResults results) => string.Join(", ", Enum.GetValues<Conclusion>()
        .Select(c => (Conclusion: c, Count: results.Controls.Count(r => r.Conclusion == c)))
        .Where(c => c.Count > 0).Select(c => $"{c.Count} {Wording.Name(c.Conclusion)}"));

    private static string Count(long number, string of) => number == 1 ? $"1 {of}" : $"{number} {of}s";

    private static string Second(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Place(string target, string account) => account.Length == 0 ? target.Length == 0 ? "the inputs" : target : $"{target} {account}";

    private static string Cut(string text, int width)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= width ? line : line[..(width - 1)] + "…";
    }

    private static string Style(Conclusion conclusion) => conclusion switch
    {
        Controls.Conclusion.Fail or Controls.Conclusion.Error => "bold red",
        Controls.Conclusion.Inconclusive or Controls.Conclusion.NeedsReview => "bold yellow",
        Controls.Conclusion.Pass => "bold green",
        _ => "bold",
    };

    private static void Line(IAnsiConsole console, string text, string style = "default")
    {
        console.Write(new Text(text, Spectre.Console.Style.Parse(style)));
        console.WriteLine();
    }
}
