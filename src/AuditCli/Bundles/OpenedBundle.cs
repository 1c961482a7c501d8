using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// A bundle opened for reading: its files, the record of its run, its results, its index of evidence and its populations. All code that
/// reads a bundle uses this class. Every file of a sealed bundle is compared with the manifest before it is used.
/// </summary>
internal sealed class OpenedBundle
{
    private readonly Lazy<ILookup<string, (string Name, EvidenceItem Item)>> _evidence;
    private ControlLibrary? _library;
    private SealedScope? _scope;

    private OpenedBundle(BundleFolder files, RunRecord record, EvaluationResults results, ImmutableArray<EvidenceItem> index)
    {
        Files = files;
        Record = record;
        Results = results;
        Index = index;
        _evidence = new(() => index.SelectMany(i => i.Names.Select(n => (n.Control, n.Name, Item: i)))
            .ToLookup(n => n.Control, n => (n.Name, n.Item), StringComparer.Ordinal));
    }

    public BundleFolder Files { get; }

    /// <summary>The record of the run.</summary>
    public RunRecord Record { get; }
    public EvaluationResults Results { get; }
    public ImmutableArray<EvidenceItem> Index { get; }

    /// <summary>The bundle id in <c>data/run.json</c>.</summary>
    public string Id => Record.BundleId;

    /// <summary>
    /// Opens a sealed bundle, and checks that its results are what its own files can conclude. <see cref="RequireRowsAsync"/> checks the rows.
    /// </summary>
    /// <exception cref="InvalidDataException">It is not a sealed bundle, or a file is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <param name="verified">The tag manifest's digest that verification reported; null where the bundle was not verified.</param>
    public static Task<OpenedBundle> OpenAsync(string folder, AuditHost host, Digest? verified, CancellationToken cancellationToken) =>
        OpenForAsync(folder, host, verified, shown: null, cancellationToken);

    /// <summary>Does the same for a command that uses the conclusions of some controls only: evaluating takes most of the time.</summary>
    /// <param name="shown">Returns the ids of those controls; null for all.</param>
    /// <inheritdoc cref="OpenAsync"/>
    public static async Task<OpenedBundle> OpenForAsync(
        string folder, AuditHost host, Digest? verified, Func<OpenedBundle, IReadOnlySet<string>?>? shown, CancellationToken cancellationToken)
    {
        var files = BundleFolder.Sealed(folder, verified);
        var opened = Open(files, files.Read(BundleLayout.Run));
        if (ShardsCheck.WhyNot(files, opened.Record) is { } other)
            throw new InvalidDataException(other);
        // What lies elsewhere cannot be compared; commands say that it is missing.
        var wrong = PartitionsCheck.WhyNot(opened);
        var ids = wrong is null ? shown?.Invoke(opened) : null;
        if (!files.Missing.Any())
            wrong ??= PeopleCheck.WhyNot(opened, host.Sources) ?? await ResultsCheck.WhyNotAsync(opened, host, ids, cancellationToken);
        return wrong is not null
            ? throw new InvalidDataException(
                $"{BundleLayout.Results} contradicts the bundle: {wrong}; 'auditcli reperform' evaluates again and lists what differs")
            : opened;
    }

    /// <summary>Opens a sealed bundle, and checks its results and the rows of all its tests.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public static async Task<OpenedBundle> OpenWholeAsync(string folder, AuditHost host, Digest? verified, CancellationToken cancellationToken)
    {
        var opened = await OpenAsync(folder, host, verified, cancellationToken);
        await opened.RequireRowsAsync(opened.Results.Controls, host, cancellationToken);
        return opened;
    }

    /// <summary>Opens the files of a bundle, sealed or about to be sealed.</summary>
    /// <param name="run">The content of <c>data/run.json</c>, which is written last and may not exist as a file yet.</param>
    /// <inheritdoc cref="OpenAsync" path="/exception"/>
    public static OpenedBundle Open(BundleFolder files, byte[] run)
    {
        var record = RunRecord.Read(run);
        RequireResults(files, record);
        try
        {
            return new(files, record, ResultsJson.Read(files.Read(BundleLayout.Results)), [.. ItemsOf(files)]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{BundleLayout.Results} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Refuses a shard of a run, which has evidence only.</summary>
    /// <exception cref="InvalidDataException">The bundle has no results.</exception>
    public static void RequireResults(BundleFolder files, RunRecord record)
    {
        if (files.IsSealed && !files.Has(BundleLayout.Results))
        {
            throw new InvalidDataException(
                $"{record.BundleId} has evidence and no results: it is a shard, whose results are in the bundle that it is a part of");
        }
    }

    /// <summary>Opens a run that is about to be sealed, with the record and results that it has in memory.</summary>
    /// <inheritdoc cref="OpenAsync" path="/exception"/>
    public static OpenedBundle Of(BundleFolder files, RunRecord record, EvaluationResults results)
    {
        return new(files, record, results, [.. ItemsOf(files)]);
    }

    /// <summary>
    /// Returns the evidence items of a bundle, its own and those of its shards, in the order that one index has, however the evidence was
    /// divided. Every shard read the same inputs, which are taken from the first.
    /// </summary>
    public static IEnumerable<EvidenceItem> ItemsOf(BundleFolder files) => files.Shards.IsEmpty
        ? ItemsAsTheyAre(files)
        : ItemsAsTheyAre(files).OrderBy(i => i.Target, StringComparer.Ordinal).ThenBy(i => i.EvidenceId, StringComparer.Ordinal);

    private static IEnumerable<EvidenceItem> ItemsAsTheyAre(BundleFolder files)
    {
        var inputs = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in files.Everywhere(BundleLayout.EvidenceIndex))
        {
            using var index = files.Open(path);
            foreach (var item in EvidenceIndex.Items(index, path))
            {
                if (item.Source != EvidenceNeed.FileSource || inputs.Add(item.EvidenceId))
                    yield return ShardPath.In(ShardPath.Prefix(path), item);
            }
        }
    }

    /// <summary>Returns the same bundle with another record.</summary>
    public OpenedBundle With(RunRecord record) => new(Files, record, Results, Index);

    /// <summary>Returns the evidence items of a control with the control's names for them, ordered by name.</summary>
    public IEnumerable<(string Name, EvidenceItem Item)> EvidenceOf(string control) =>
        _evidence.Value[control].OrderBy(e => e.Name, StringComparer.Ordinal);

    /// <summary>Returns the controls of the bundle that can be loaded, and why the others cannot.</summary>
    /// <exception cref="InvalidDataException">A copy is not the one that was sealed.</exception>
    public ControlLibrary Library(ImmutableArray<EvidenceSource> sources)
    {
        return _library ??= ControlLibrary.OfBundle(
            Files.Below(BundleLayout.ControlsFolder).Select(p => new LibraryFile(p[BundleLayout.ControlsFolder.Length..], Files.Read(p), p)),
            sources,
            ImmutableDictionary<string, Digest>.Empty);
    }

    /// <summary>Returns what the bundle's engagement, controls and index say was to be concluded.</summary>
    /// <inheritdoc cref="SealedScope.Of" path="/exception"/>
    public SealedScope Scope(ImmutableArray<EvidenceSource> sources) => _scope ??= SealedScope.Of(this, sources);

    /// <summary>
    /// Returns the bundle's copy of a control. Null if it is not the one that concluded or cannot be loaded; callers then show less about
    /// the control.
    /// </summary>
    /// <exception cref="InvalidDataException">The copy is not the one that was sealed.</exception>
    public Control? ControlOf(ControlResult result, ImmutableArray<EvidenceSource> sources) =>
        Library(sources).Controls.Select(c => c.Control).FirstOrDefault(c => c.Id == result.Id && c.Sha256 == result.Sha256);

    /// <summary>
    /// Returns why the bundle's file of a control is not the one the results are of; null if it is, whether or not it can be loaded.
    /// </summary>
    public string? WhyAnotherControl(ControlResult result)
    {
        string path;
        try
        {
            path = BundleLayout.Control(result.Id);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"results.json names a control '{PrintableText.Of(result.Id)}', which has no file", e);
        }
        return !Files.Has(path) ? $"the bundle does not contain {path}"
            : Files.DigestOf(path) is var digest && digest != result.Sha256
                ? $"{path} is not the file that was evaluated: its sha256 is {digest.Hex[..16]}, and results.json says {result.Sha256.Hex[..16]}"
            : null;
    }

    /// <summary>Returns a control's member of <c>results.json</c> unchanged.</summary>
    /// <exception cref="InvalidDataException">The results are not the ones that were sealed.</exception>
    public JsonElement ResultOf(string id) =>
        JsonElement.Parse(Files.Read(BundleLayout.Results)).GetProperty("controls").EnumerateArray().First(c => c.GetProperty("id").GetString() == id);

    /// <summary>Returns a record of a supplied CSV file as names and values of its columns.</summary>
    /// <param name="number">Counted from 1, not counting the header.</param>
    /// <exception cref="InvalidDataException">There is no such record, or the file is not the one that was sealed.</exception>
    public ImmutableArray<(string Name, string Value)> InputRow(string file, long number)
    {
        using var records = new CsvReader(Files.Open(file), file);
        var found = records.Records().FirstOrDefault(r => r.Number == number) ?? throw new InvalidDataException($"{file} has no row {number}");
        return [.. records.Header.Zip(found.Fields)];
    }

    /// <summary>Checks that the rows of controls are those of their results, before a conclusion is printed.</summary>
    /// <exception cref="InvalidDataException">They are not; the message names the file.</exception>
    public async Task RequireRowsAsync(IEnumerable<ControlResult> controls, AuditHost host, CancellationToken cancellationToken)
    {
        if (Files.Missing.Any())
            return;
        var scope = Scope(host.Sources);
        foreach (var control in controls)
        {
            var approvals = scope.Controls.FirstOrDefault(c => c.Control.Id == control.Id) is { } tested
                ? await SealedApprovals.ReadAsync(tested, scope.Evidence.PartitionsOf(tested.Control), scope.Moment, p => Files.Open(p), cancellationToken)
                : null;
            if (new RowsCheck(this, control, approvals).WhyNot() is { } wrong)
                throw new InvalidDataException($"{wrong}; 'auditcli reperform' evaluates again and lists what differs");
        }
    }

    /// <summary>Returns the ids of the tests of a control, in the order in which they ran.</summary>
    public static IEnumerable<string> TestsOf(ControlResult control) => control.Tests.Select(t => t.Id);

    /// <summary>
    /// Returns the results of a control's tests in each partition, in the order of their file, which is read again each time: those of all
    /// controls would not fit into memory.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is not the one that was sealed, is missing, or has a line that is not a result.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<TestResult> Partitions(ControlResult control) =>
        control.PartitionsOfSchema1 is { } held ? held
        : control.Partitions is null ? []
        : PartitionsCheck.PathOf(control.Id) is var path && Files.Has(path) ? PartitionResults.Read(() => Files.Open(path), path)
        : throw new InvalidDataException($"{path} is not in the bundle, although results.json gives its digest");

    /// <summary>Returns the path of a test's first file of items: its own or, in a bundle over bundles, that of a shard.</summary>
    public string RowsFileOf(string control, string test)
    {
        var own = PopulationFile.PathOf(control, test);
        return Files.Everywhere(own).FirstOrDefault() ?? own;
    }

    /// <summary>
    /// Returns the population of a test over all its partitions, in the order of its file; empty if the control was not tested.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is not the one that was sealed, is missing, or has a line that is not a row.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<PopulationRow> Rows(string control, string test) => Lines(control, test).Select(l => l.Row);

    /// <summary>Returns the population of a test with the line of each item, whose memory is only valid until the next one is read.</summary>
    /// <inheritdoc cref="Rows"/>
    public IEnumerable<(ReadOnlyMemory<byte> Line, PopulationRow Row)> Lines(string control, string test)
    {
        var path = PopulationFile.PathOf(control, test);
        var files = Files.Everywhere(path).ToArray();
        if (files.Length > 0 || Files.Missing.Any())
            return files.SelectMany(f => PopulationFile.Lines(() => Files.Open(f), f, control, test));
        return Results.Controls.Any(c => c.Id == control && c.Tests.Any(t => t.Id == test && t.Population > 0))
            ? throw new InvalidDataException($"{path} is not in the bundle, although results.json gives a count of its items")
            : [];
    }
}
