using System.Collections.Immutable;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Redaction;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Libraries;

namespace AuditCli.Running;

/// <summary>A run whose engagement and controls were loaded and have no faults, before the first request.</summary>
/// <param name="RedactionKey">
/// The HMAC key with which secrets in responses are replaced by digests; null for a random key that is not kept.
/// </param>
internal sealed record PreparedRun(Engagement Engagement, PlanResult Plan, ReadOnlyMemory<byte>? RedactionKey)
{
    /// <summary>
    /// The environment variable with the engagement's redaction key. With the same key, equal secrets have equal digests in every run.
    /// </summary>
    public const string RedactionVariable = "AUDITCLI_REDACTION_KEY";
    public const int LeastKeyBytes = 32;

    /// <summary>For a re-performed run, the evidence without a recorded exchange; otherwise empty.</summary>
    public UnrecordedEvidence Unrecorded { get; init; } = UnrecordedEvidence.None;

    /// <summary>The unfinished run that is resumed; null if none is.</summary>
    public StoppedRun? Stopped { get; init; }

    /// <summary>The targets that are read, where the command line named some; empty for all.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>What the run asks: the engagement and the controls, by their paths in a bundle.</summary>
    public IEnumerable<(string Path, ReadOnlyMemory<byte> Content)> Questions => Plan.Controls.Select(c => c.Control)
        .Concat(Plan.NotApplicable.Select(c => c.Control))
        .Select(c => (BundleLayout.Control(c.Id), c.Source))
        .Prepend((BundleLayout.Engagement, Engagement.Source));

    /// <summary>Writes the questions into a bundle; a run does so first, so that an interrupted one records what it asked.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task WriteQuestionsAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        foreach (var (path, content) in Questions)
            await bundle.WriteFileAsync(path, content, cancellationToken);
    }

    /// <summary>Loads and checks the engagement and its controls. Returns null and the faults if there are any.</summary>
    /// <exception cref="IOException">There is no process in which SQL could be checked.</exception>
    public static async Task<(PreparedRun? Run, ImmutableArray<Diagnostic> Faults)> LoadAsync(
        RunSubject subject, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
    {
        if (!TryKey(host.Environment(RedactionVariable), out var redactionKey))
            return (null, [new(RedactionVariable, 1, 1, KeyNeeded, DiagnosticKind.Meaning)]);
        var (engagement, faults) = subject.Content is { } content
            ? EngagementLoader.Parse(subject.Engagement, content, host.Sources)
            : EngagementLoader.Load(subject.Engagement, host.Sources, usesLibrary: subject.Library is null, subject.ShownAs);
        if (engagement is null)
            return (null, faults);
        var library = ChosenLibrary.Load(subject.Library ?? engagement.Library, host);
        if (!library.Faults.IsEmpty)
            return (null, library.Faults);
        var (checkedEngagement, unknown) = EngagementLoader.Check(engagement, [.. library.Controls.Select(c => c.Control)]);
        if (!unknown.IsEmpty)
            return (null, unknown);
        var filter = subject.Filter;
        if (subject.Pack is { } name)
        {
            var folder = subject.Library ?? engagement.Library;
            var (pack, wrongPack) = ChosenLibrary.FindPack(name, folder, library, ChosenLibrary.Frameworks(folder, host), host);
            if (pack is null)
                return (null, wrongPack);
            filter = filter with { Pack = pack };
        }
        var plan = Planner.Plan(checkedEngagement, subject.ShownAs, library.Controls, host.Sources, filter, AsOf(checkedEngagement, host));
        var running = plan.Controls.Select(c => c.Control.Id).ToImmutableHashSet(StringComparer.Ordinal);
        var wrong = plan.Faults;
        foreach (var control in library.Controls.Where(c => running.Contains(c.Control.Id)))
            wrong = [.. wrong, .. await ChosenLibrary.CheckSqlAsync(control, evaluation, forAuthors: false, cancellationToken)];
        if (wrong.IsEmpty && plan.Controls.IsEmpty && plan.NotApplicable.IsEmpty)
        {
            wrong = [WhyNone(subject.ShownAs, plan.Plan.NotTested)];
        }
        return wrong.IsEmpty ? (new(checkedEngagement, plan, redactionKey) { Targets = filter.Targets }, []) : (null, wrong);
    }

    /// <summary>Returns why no control of an engagement can run: each reason once, however many controls have it.</summary>
    private static Diagnostic WhyNone(string shown, ImmutableArray<NotTested> notTested)
    {
        var reasons = string.Join("; ", notTested.GroupBy(n => n.Reason, StringComparer.Ordinal)
            .Select(g => $"{string.Join(", ", g.Select(n => n.Id))}: {g.Key}").DefaultIfEmpty("the library is empty"));
        return new(shown, 1, 1, $"no control can run: {reasons}", DiagnosticKind.Meaning);
    }

    /// <summary>
    /// Returns the as-of time for an engagement that does not state one: now or, for a replay, the last date of the recording, as later in
    /// the run. The recording is only read if there are scope decisions, because only they depend on the time here.
    /// </summary>
    private static DateTimeOffset AsOf(Engagement engagement, AuditHost host) =>
        engagement is { AsOf: null, Replay: { } recorded, NotApplicable.IsEmpty: false }
            ? RecordedDates.Of(recorded)?.Last ?? host.Clock.GetUtcNow()
            : host.Clock.GetUtcNow();

    /// <summary>
    /// Reads every input before the first request. Returns what it found; without faults, which prevent the run, prints remarks about rows
    /// that do not count.
    /// </summary>
    /// <param name="allowSecrets">See <see cref="RunOptions.AllowSecrets"/>.</param>
    /// <param name="error">Receives the remarks, one per line.</param>
    public async Task<InputFindings> CheckInputsAsync(
        RunSubject subject, bool allowSecrets, TextWriter error, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(subject.ShownAs) ?? "";
        var inputs = Engagement.Inputs.Select(i => Supplied(i, Path.Combine(folder, i.Written)));
        // The engagement is part of the bundle, so it is searched for credentials like the files it names. The empty name cannot be that of
        // an input.
        ImmutableArray<SuppliedInput> supplied = subject.Content is null ? [new("", Engagement.File, null, subject.ShownAs), .. inputs] : [.. inputs];
        var found = await Task.Run(() => InputCheck.Of(Plan.Plan.Inputs, supplied, allowSecrets, cancellationToken), cancellationToken);
        if (!allowSecrets)
        {
            // The controls that run are sealed too: report a credential in them now, and not at the end of a run of hours.
            var controls = Plan.Controls.Select(c => c.Control).Concat(Plan.NotApplicable.Select(c => c.Control));
            found = found with
            {
                Faults =
                [
                    .. found.Faults,
                    .. controls.Select(c => (c.Id, Line: CredentialScan.LineOf(System.Text.Encoding.UTF8.GetString(c.Source.Span))))
                        .Where(c => c.Line is not null)
                        .Select(c => $"control {c.Id}, line {c.Line}: holds what looks like a credential; "
                            + "remove it, or give --allow-secrets, which the bundle will record"),
                ],
            };
        }
        if (found.Faults.IsEmpty)
        {
            foreach (var remark in found.Remarks)
                await error.WriteLineAsync(remark);
        }
        return found;
    }

    /// <summary>Returns an input as collectors read it.</summary>
    /// <param name="written">The path that messages show.</param>
    public static SuppliedInput Supplied(EngagementInput input, string written) => new(input.Name, input.File, input.StatedRows, written)
    {
        Layout = input.Layout,
        StatedTotals = input.StatedTotals,
    };

    /// <summary>What the variable with the redaction key must hold.</summary>
    public static string KeyNeeded =>
        $"the variable must hold at least {LeastKeyBytes} random bytes in hexadecimal, as 'openssl rand -hex {LeastKeyBytes}' prints them";

    /// <summary>Reads the redaction key; null where the variable is not set. Returns false if it is not a key.</summary>
    public static bool TryKey(string? text, out ReadOnlyMemory<byte>? key)
    {
        key = null;
        if (string.IsNullOrEmpty(text))
            return true;
        try
        {
            key = Convert.FromHexString(text.Trim());
            return key.Value.Length >= LeastKeyBytes;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
