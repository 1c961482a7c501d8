using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Reperformance;

namespace AuditCli.Lookup;

/// <summary>A sealed bundle, opened to look things up. Every file is compared with the manifest before it is read.</summary>
internal sealed class OpenedBundle
{
    private const string ResultsPath = "data/results/results.json";
    private const string ControlsFolder = "data/controls/";
    private ControlLibrary? _library;

    private OpenedBundle(SealedFiles files, JsonElement run, RecordedRun record, EvaluationResults results, ImmutableArray<EvidenceItem> index) =>
        (Files, Run, Record, Results, Index) = (files, run, record, results, index);

    public SealedFiles Files { get; }

    /// <summary>The whole of <c>data/run.json</c>.</summary>
    public JsonElement Run { get; }

    /// <summary>The part of it that the program itself relies on.</summary>
    public RecordedRun Record { get; }
    public EvaluationResults Results { get; }
    public ImmutableArray<EvidenceItem> Index { get; }

    /// <summary>What the bundle calls itself.</summary>
    public string Id => Text("bundle_id");

    /// <summary>A text of <c>data/run.json</c>, as it stands there; empty where there is none.</summary>
    public string Text(string member) =>
        Run.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <exception cref="InvalidDataException">It is no sealed bundle, or a file is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OpenedBundle Open(string folder)
    {
        var files = SealedFiles.Open(folder);
        var run = files.Read(BundlePaths.Run);
        var record = RunRecord.Read(run);
        files.Check(BundlePaths.EvidenceIndex);
        try
        {
            return new(files, JsonElement.Parse(run), record, ResultsJson.Read(files.Read(ResultsPath)), EvidenceIndex.Read(files.Folder));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{ResultsPath} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The bundle's own copy of a control; null where it cannot be loaded, which only lessens what can be said about it.</summary>
    /// <exception cref="InvalidDataException">The copy is not the one that was sealed.</exception>
    public Control? ControlOf(string id, AuditHost host)
    {
        if (_library is null)
        {
            foreach (var path in Files.Paths.Where(p => p.StartsWith(ControlsFolder, StringComparison.Ordinal)))
                Files.Check(path);
            _library = ControlLibrary.OfBundle(Path.Combine(Files.Folder, ControlsFolder), host.Sources, ImmutableDictionary<string, Digest>.Empty);
        }
        return _library.Controls.Select(c => c.Control).FirstOrDefault(c => c.Id == id);
    }

    /// <summary>What the results say of a control, as it stands there.</summary>
    /// <exception cref="InvalidDataException">The results are not the ones that were sealed.</exception>
    public JsonElement ResultOf(string id) =>
        JsonElement.Parse(Files.Read(ResultsPath)).GetProperty("controls").EnumerateArray().First(c => c.GetProperty("id").GetString() == id);

    /// <summary>A record of a file that was handed in, by the names of its columns.</summary>
    /// <param name="number">Counted from 1, without the header.</param>
    /// <exception cref="InvalidDataException">There is no such record, or the file is not the one that was sealed.</exception>
    public ImmutableArray<(string Name, string Value)> InputRow(string file, long number)
    {
        using var records = new CsvReader(new MemoryStream(Files.Read(file)), file);
        var found = records.Records().FirstOrDefault(r => r.Number == number) ?? throw new InvalidDataException($"{file} has no row {number}");
        return [.. records.Header.Zip(found.Fields)];
    }

    /// <summary>The population of a test over all its partitions, in the order of its file; nothing where the control was not tested.</summary>
    /// <exception cref="InvalidDataException">The file is not the one that was sealed, or a line is no such row.</exception>
    public IEnumerable<PopulationRow> Rows(string control, string test)
    {
        var path = $"data/results/{control}.{test}.ndjson".ToLowerInvariant();
        return Files.Has(path) ? RowComparison.Lines(Files.Check(path)).Select(line => PopulationRow.Parse(control, test, line)) : [];
    }
}
