using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;

namespace AuditCli.Reports.Workpapers;

/// <summary>
/// The content of every report, made from a bundle alone. Population items are not held in memory; each format reads them as it writes.
/// Equal bundles give equal workpapers, because no clock is read.
/// </summary>
/// <param name="Bundle">The bundle, sealed or about to be sealed.</param>
/// <param name="Controls">The controls, in the order of <see cref="EvaluationResults.Controls"/>.</param>
/// <param name="Notes">What narrows the scope or differs from the shipped library, and the identity that read each target.</param>
internal sealed record Workpaper(OpenedBundle Bundle, RunRecord Run, ImmutableArray<WorkpaperControl> Controls, ImmutableArray<ScopeNote> Notes)
{
    /// <summary>The result of verification; null in the reports inside the bundle, which are written before the seal.</summary>
    public VerifyReport? Verification { get; init; }

    /// <summary>The engagement as it was sealed; null if this version cannot read it.</summary>
    public Engagement? Engagement { get; init; }

    /// <summary>Returns who obtained an evidence item.</summary>
    public string ObtainedBy(EvidenceItem item) => Engagement is not { } engagement ? RelianceWords.NotStated
        : item.Source == EvidenceNeed.FileSource
            ? engagement.Inputs.FirstOrDefault(i => i.Name == item.Operation)?.ObtainedBy ?? AuditCli.Controls.ObtainedBy.Management
        : engagement.ObtainedByOf(item.Target);

    /// <summary>The traces from items to the raw evidence.</summary>
    public ControlTraces Traces { get; } = new(Bundle);

    public EvaluationResults Results => Bundle.Results;

    /// <summary>The index of evidence, in its order.</summary>
    public ImmutableArray<EvidenceItem> Evidence => Bundle.Index;

    public Digest ResultsSha256 { get; } = Bundle.Files.DigestOf(BundleLayout.Results);

    public Digest IndexSha256 { get; } = Bundle.Files.DigestOf(BundleLayout.EvidenceIndex);

    public string Title => $"{Run.Entity}, {Run.Name}";

    /// <summary>The controls of each ITGC domain that has any.</summary>
    public IEnumerable<IGrouping<ItgcDomain, WorkpaperControl>> Domains => Controls.GroupBy(c => c.Result.Domain).OrderBy(g => g.Key);

    /// <summary>Returns what a test holds for: the state at a time, or the period.</summary>
    public string SpanOf(WorkpaperControl control, string test) =>
        control.ModeOf(test) == ControlMode.Period ? $"the period {Run.PeriodWords}" : $"the state as of {RunRecord.Second(Run.AsOf)}";

    /// <summary>Returns what a control's tests hold for; if it differs, for each test.</summary>
    public string SpanOf(WorkpaperControl control)
    {
        ImmutableArray<string> tests = control.Definition is { } d ? [.. d.Tests.Select(t => t.Id)] : control.Tests;
        var spans = tests.GroupBy(t => SpanOf(control, t)).ToArray();
        return spans is [] ? "nothing, since nothing was tested"
            : spans is [var same] ? same.Key
            : string.Join("; ", spans.Select(s => $"{string.Join(", ", s)}: {s.Key}"));
    }

    /// <summary>The number of controls with each conclusion, in the order of precedence, without conclusions that no control has.</summary>
    public ImmutableArray<(Conclusion Conclusion, int Count)> Totals =>
    [
        .. Enum.GetValues<Conclusion>()
            .Select(c => (Conclusion: c, Count: Controls.Count(r => r.Result.Conclusion == c))).Where(c => c.Count > 0),
    ];

    /// <summary>The totals as text, for example <c>9 FAIL, 3 PASS</c>.</summary>
    public string TotalsLine => string.Join(", ", Totals.Select(t => $"{t.Count} {Wording.Name(t.Conclusion)}"));

    /// <summary>The identification on every first page: what the bundle is and what it holds, as labels and values.</summary>
    public IEnumerable<(string Label, string Value)> Identification =>
    [
        ("Entity", Run.Entity),
        ("Engagement", Run.Name),
        ("Period", Run.PeriodWords),
        ("State as of", RunRecord.Second(Run.AsOf)),
        ("Collected", $"{RunRecord.Second(Run.Started)} to {RunRecord.Second(Run.Finished)}"),
        .. Results.Parameters is { ReadFrom: { } from, ReadUntil: { } until }
            ? [("Read, by the servers' clocks", $"{RunRecord.Second(Rfc3339.Format(from))} to {RunRecord.Second(Rfc3339.Format(until))}")]
            : Array.Empty<(string, string)>(),
        ("Run by", $"{Run.RunBy.User} on {Run.RunBy.Machine}"),
        ("Preparer", Run.Preparer),
        ("Reviewer", Run.Reviewer),
        .. Engagement?.RetainUntil is { } last
            ? [("Retain until", last.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))]
            : Array.Empty<(string, string)>(),
        .. Engagement?.LegalHold is { } hold
            ? [("Legal hold", $"since {hold.Since.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}, by {hold.By}: {hold.Why}")]
            : Array.Empty<(string, string)>(),
        ("Tool", $"{Run.Tool.Name} {Run.Tool.Version}, {Run.Tool.Runtime}, {Run.Tool.System}"),
        ("Engine", $"{Results.Engine.Name} {Results.Engine.Version}"),
        ("Bundle", Run.BundleId),
        ($"SHA-256 of {BundleLayout.Results}", ResultsSha256.Hex),
        ($"SHA-256 of {BundleLayout.EvidenceIndex}", IndexSha256.Hex),
        ("SHA-256 of the engagement", Run.EngagementSha256),
        .. Verification is { } v
            ? v.Lines.Select(l => ($"Verified: {l.Question}", $"{Wording.Name(l.Answer)}{(l.Detail.Length > 0 ? $"; {l.Detail}" : "")}"))
                .Prepend(("SHA-256 of tagmanifest-sha256.txt", v.TagManifestSha256?.Hex ?? "none"))
            : [("Seal", "made before the bundle was sealed; 'auditcli verify' checks the seal, and 'auditcli report' adds what it finds")],
    ];
}

/// <summary>A control with its file and its evidence.</summary>
/// <param name="Definition">The control's file; null if it cannot be read.</param>
/// <param name="WhyNoDefinition">Why the file cannot be read; null if it can.</param>
/// <param name="Evidence">Every evidence item, with the control's name for it.</param>
internal sealed record WorkpaperControl(
    OpenedBundle Bundle, ControlResult Result, Control? Definition, string? WhyNoDefinition, ImmutableArray<(string Name, EvidenceItem Item)> Evidence)
{
    /// <summary>The control's tests, each once, in the order in which they ran.</summary>
    public ImmutableArray<string> Tests => [.. OpenedBundle.TestsOf(Result)];

    /// <inheritdoc cref="OpenedBundle.Partitions"/>
    public IEnumerable<TestResult> Partitions => Bundle.Partitions(Result);

    /// <summary>Why the control could not conclude more, the widest reason first; questions to people that are open, and how they are answered.</summary>
    public IEnumerable<string> Reasons =>
        ControlReasons.Of(Result, Partitions).Concat(PeopleNotes.WaitsFor(Result, Definition, "BUNDLE", Bundle.Record.Concluded));

    /// <summary>What people answered to the control's questions; nothing where nobody answered.</summary>
    public ImmutableArray<string> Answered => [.. PeopleNotes.Answered(Result, Definition)];

    /// <summary>Returns what a person makes of an exception; null if nobody said anything about it.</summary>
    public string? SaidOf(PopulationRow row) => row.ExceptionId is { } id ? Dispositions.GetValueOrDefault(id) : null;

    /// <inheritdoc cref="ControlReasons.Meaning"/>
    public string Meaning => ControlReasons.Meaning(Result, Partitions);

    /// <summary>The number of rows per evidence table over all accounts and regions, for comparison with the population.</summary>
    public ImmutableArray<(string Name, long Rows)> TableRows =>
        [
            .. Evidence.GroupBy(e => e.Name, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => (g.Key, g.Sum(e => e.Item.Items))),
        ];

    /// <summary>The rows as text, for example <c>users 10, login_profiles 6</c>.</summary>
    public string TableRowsLine =>
        TableRows.IsEmpty ? "no evidence was collected" : string.Join(", ", TableRows.Select(t => $"{t.Name} {t.Rows}"));

    /// <summary>The conclusion as text for people.</summary>
    public string Conclusion => ControlReasons.Conclusion(Result);

    /// <summary>The control's counts, the same in every format.</summary>
    public ControlCounts Counts { get; } = new(Result);

    /// <summary>
    /// How much of the population was tested. If questions for a person are open, the program's tests are not the whole test.
    /// </summary>
    public string Tested => OpenQuestions is > 0 and var open
        ? $"every item was tested by the program; {Wording.Count(open, "question")} for a person {(open == 1 ? "is" : "are")} open, "
            + "so the test is not finished"
        : Result.Conclusion == Controls.Conclusion.NeedsReview ? "every item was tested by the program; a question for a person is open"
        : Counts.Tests.IsEmpty ? "nothing was tested"
        : Counts.Undetermined > 0 ? $"every item was tested, nothing was sampled; {Counts.Undetermined} could not be determined"
        : "100 %: every item was tested, nothing was sampled";

    /// <summary>Whether each item was tested to the end: no question is open, and no item is undetermined.</summary>
    public bool IsWholly => OpenQuestions == 0 && Result.Conclusion != Controls.Conclusion.NeedsReview && Counts.Undetermined == 0;

    private int OpenQuestions => PeopleNotes.Unanswered(Result, Definition).Count();

    private ImmutableDictionary<string, string> Dispositions { get; } = PeopleNotes.Dispositions(Result);

    /// <summary>The origin and the digest of the control's file.</summary>
    public string Origin => $"{Result.Origin.ToString().ToLowerInvariant()}, sha256 {Result.Sha256}";

    /// <summary>Returns the test in the control's file; null if the file cannot be read.</summary>
    public TestProcedure? Test(string id) => Definition?.Tests.FirstOrDefault(t => t.Id == id);

    /// <summary>
    /// Returns whether a test is over the period or at a point in time: as the results state or, in older results, as the control states.
    /// </summary>
    public ControlMode ModeOf(string test) =>
        Result.Tests.FirstOrDefault(t => t.Id == test)?.Mode
        ?? (Test(test) is { } procedure ? Definition!.ModeOf(procedure) : ControlMode.PointInTime);
}
