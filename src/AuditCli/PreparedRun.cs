using System.Collections.Immutable;
using AuditCli.Collectors;
using AuditCli.Collectors.Http;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Reperformance;

namespace AuditCli;

/// <summary>What the command line asks of a run. Paths are full.</summary>
/// <param name="ShownAs">The engagement's path as messages print it.</param>
/// <param name="Library">The folder of controls; null takes the engagement's, or the shipped library.</param>
internal sealed record RunOptions(
    string ShownAs,
    string Engagement,
    string? Library,
    string Out,
    PlanFilter Filter,
    bool Verbose)
{
    /// <summary>Seal although a file holds what looks like a credential.</summary>
    public bool AllowSecrets { get; init; }

    /// <summary>Whether the bundle gets its reports; a run that is done again to be compared does without.</summary>
    public bool SealReports { get; init; } = true;

    /// <summary>How the bundle is signed; null leaves it unsigned.</summary>
    public SigningOptions? Signing { get; init; }

    /// <summary>The folder of a stopped run that is finished; null runs the engagement.</summary>
    public string? Resume { get; init; }

    /// <summary>An engagement that the program made from the command line; null reads the file.</summary>
    public byte[]? Content { get; init; }

    /// <summary>The name of a pack of the library; null for every control that the engagement includes.</summary>
    public string? Pack { get; init; }
}

/// <summary>A run whose engagement and controls are without fault, before anything is asked.</summary>
/// <param name="RedactionKey">Under which secrets in answers become digests; null for one that nobody keeps.</param>
internal sealed record PreparedRun(Engagement Engagement, PlanResult Plan, ReadOnlyMemory<byte>? RedactionKey)
{
    /// <summary>The variable with the engagement's redaction key: under it equal secrets have equal digests in every run.</summary>
    public const string RedactionVariable = "AUDITCLI_REDACTION_KEY";
    private const int LeastKeyBytes = 32;

    /// <summary>Of a run that is done again, the evidence of which nothing was recorded; empty otherwise.</summary>
    public UnrecordedEvidence Unrecorded { get; init; } = UnrecordedEvidence.None;

    /// <summary>The run that this one finishes; null for one of its own.</summary>
    public StoppedRun? Stopped { get; init; }

    /// <summary>Loads and checks everything; with any fault there is no run, and every fault found is returned.</summary>
    /// <exception cref="IOException">There is no process in which SQL could be checked.</exception>
    public static async Task<(PreparedRun? Run, ImmutableArray<Diagnostic> Faults)> LoadAsync(RunOptions options, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
    {
        if (!TryKey(host.Environment(RedactionVariable), out var redactionKey))
            return (null, [new(RedactionVariable, 1, 1, $"the variable must hold at least {LeastKeyBytes} random bytes in hexadecimal, as 'openssl rand -hex {LeastKeyBytes}' prints them", DiagnosticKind.Meaning)]);
        var (engagement, faults) = options.Content is { } content
            ? EngagementLoader.Parse(options.Engagement, content, host.Sources)
            : EngagementLoader.Load(options.Engagement, host.Sources, usesLibrary: options.Library is null);
        if (engagement is null)
            return (null, faults);
        var library = Libraries.Load(options.Library ?? engagement.Library, host);
        if (!library.Faults.IsEmpty)
            return (null, library.Faults);
        var (checkedEngagement, unknown) = EngagementLoader.Check(engagement, options.ShownAs, [.. library.Controls.Select(c => c.Control)]);
        if (!unknown.IsEmpty)
            return (null, unknown);
        var filter = options.Filter;
        if (options.Pack is { } name)
        {
            var (pack, wrongPack) = ControlPack.Find(name, Libraries.Packs(options.Library ?? engagement.Library, host), [.. library.Controls.Select(c => c.Control)]);
            if (pack is null)
                return (null, wrongPack);
            filter = filter with { Pack = pack };
        }
        var plan = Planner.Plan(checkedEngagement, options.ShownAs, library.Controls, host.Sources, filter, AsOf(checkedEngagement, host));
        var running = plan.Controls.Select(c => c.Control.Id).ToImmutableHashSet(StringComparer.Ordinal);
        var wrong = plan.Faults;
        foreach (var control in library.Controls.Where(c => running.Contains(c.Control.Id)))
            wrong = [.. wrong, .. await Libraries.CheckSqlAsync(control, evaluation, forAuthors: false, cancellationToken)];
        if (wrong.IsEmpty && plan.Controls.IsEmpty && plan.NotApplicable.IsEmpty)
            wrong = [new(options.ShownAs, 1, 1, $"no control can run: {string.Join("; ", plan.Plan.NotTested.Select(n => $"{n.Id}: {n.Reason}").DefaultIfEmpty("the library is empty"))}", DiagnosticKind.Meaning)];
        return wrong.IsEmpty ? (new(checkedEngagement, plan, redactionKey), []) : (null, wrong);
    }

    /// <summary>The moment that states are of where the engagement does not say one: of a replay the last of its recording, as later in the run.</summary>
    private static DateTimeOffset AsOf(Engagement engagement, AuditHost host) => engagement is { AsOf: null, Replay: { } recorded, NotApplicable.IsEmpty: false }
        ? RecordedDates.Of(recorded)?.Last ?? host.Clock.GetUtcNow()
        : host.Clock.GetUtcNow();

    /// <summary>
    /// Reads every input before anything is asked. Returns the faults because of which nothing may be; what only does not count is told.
    /// </summary>
    /// <param name="error">Where each remark goes, a line for each.</param>
    public async Task<ImmutableArray<string>> CheckInputsAsync(RunOptions options, TextWriter error, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(options.ShownAs) ?? "";
        var inputs = Engagement.Inputs.Select(i => new SuppliedInput(i.Name, i.File, i.StatedRows, Path.Combine(folder, i.Written)));
        // The engagement goes into the bundle too, so that what it holds is searched like what it names. No input is without a name.
        ImmutableArray<SuppliedInput> supplied = options.Content is null ? [new("", Engagement.File, null, options.ShownAs), .. inputs] : [.. inputs];
        var found = await Task.Run(() => InputCheck.Of(Plan.Plan.Inputs, supplied, options.AllowSecrets, cancellationToken), cancellationToken);
        if (!options.AllowSecrets)
        {
            // The controls that run are sealed too; hours later nobody wants to hear of them.
            var controls = Plan.Controls.Select(c => c.Control).Concat(Plan.NotApplicable.Select(c => c.Control));
            found = found with
            {
                Faults =
                [
                    .. found.Faults,
                    .. controls.Select(c => (c.Id, Line: CredentialScan.LineOf(System.Text.Encoding.UTF8.GetString(c.Source.Span)))).Where(c => c.Line is not null)
                        .Select(c => $"control {c.Id}, line {c.Line}: holds what looks like a credential; take it out, or say --allow-secrets, which the bundle will record"),
                ],
            };
        }
        if (found.Faults.IsEmpty)
        {
            foreach (var remark in found.Remarks)
                await error.WriteLineAsync(remark);
        }
        return found.Faults;
    }

    private static bool TryKey(string? text, out ReadOnlyMemory<byte>? key)
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

/// <summary>Where controls come from.</summary>
internal static class Libraries
{
    private const string WarningWord = "warning: ";

    /// <summary>The controls of a folder, shown in messages as it was given, or the shipped ones.</summary>
    public static ControlLibrary Load(string? folder, AuditHost host)
    {
        var files = ShippedLibrary.Files();
        var digests = ShippedLibrary.Digests(files);
        return folder is null
            ? ControlLibrary.Load(files, host.Sources, digests)
            : ControlLibrary.Load(host.FullPath(folder), host.Sources, digests);
    }

    /// <summary>The packs of a folder of controls, or the shipped ones.</summary>
    public static ImmutableArray<LibraryFile> Packs(string? folder, AuditHost host) => folder is null
        ? [.. ShippedLibrary.Files().Where(f => f.Path.StartsWith(ControlPack.Folder + "/", StringComparison.Ordinal))]
        : LibraryFile.ReadPacks(host.FullPath(folder));

    /// <summary>Whether what was found is only doubtful.</summary>
    public static bool IsWarning(Diagnostic found) => found.Message.StartsWith(WarningWord, StringComparison.Ordinal);

    /// <summary>The warnings about parameters whose author says too little of their form.</summary>
    public static ImmutableArray<Diagnostic> ParameterDoubts(LoadedControl loaded) =>
        [.. loaded.Control.Parameters.Where(p => p.FormMissing is not null).Select(p => loaded.FaultIn($"parameters.{p.Name}", 1, 1, WarningWord + p.FormMissing))];

    /// <summary>Every SQL text of a control, gated and bound against empty tables.</summary>
    /// <param name="forAuthors">Whether what is only doubtful, or runs and should not be written, is listed too.</param>
    public static async Task<ImmutableArray<Diagnostic>> CheckSqlAsync(LoadedControl loaded, EvaluationProcess evaluation, bool forAuthors, CancellationToken cancellationToken) =>
    [
        .. (await ControlSql.CheckAsync(loaded.Control, evaluation, cancellationToken)).Where(m => forAuthors || m is { IsWarning: false, IsForAuthors: false }).Select(m =>
        {
            var (line, column) = ControlSql.Place(loaded.Control, m);
            return loaded.FaultIn(m.Key, line, column, (m.IsWarning ? WarningWord : "") + WhichTest(loaded.Control, m) + m.Message);
        }),
    ];

    /// <summary>Which test a message is about, where it is about one: it stands in a line of SQL that may not say.</summary>
    private static string WhichTest(Control control, SqlMessage message) => ControlSql.TestOf(control, message.Key) is { } test ? $"{test.Id}: " : "";
}
