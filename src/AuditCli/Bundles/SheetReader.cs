using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>What people wrote into their sheets, by control.</summary>
internal sealed record PeopleSaid(
    ImmutableDictionary<string, ImmutableArray<PersonAnswer>> Answers, ImmutableDictionary<string, ImmutableArray<Disposition>> Dispositions)
{
    /// <summary>The number of lines that a person filled in.</summary>
    public int Count => Answers.Values.Sum(a => a.Length) + Dispositions.Values.Sum(d => d.Length);
}

/// <summary>
/// Reads the sheets that people filled in for a bundle. A line counts if it is one of this bundle, unchanged in what it is about, with a name
/// and a time; a line that a person left empty is open and no fault. All faults are reported together, and with one nothing counts.
/// </summary>
/// <param name="engagement">The bundle's engagement, whose team may answer.</param>
/// <param name="controls">The bundle's controls, as its own files define them.</param>
/// <param name="now">No answer may be later than this.</param>
internal sealed class SheetReader(OpenedBundle bundle, Engagement engagement, ImmutableArray<Control> controls, DateTimeOffset now)
{
    /// <summary>The longest cell that a person may fill in.</summary>
    private const int LongestCell = 4000;
    private const int MostFaults = 10_000;
    private readonly List<string> _faults = [];
    private readonly Dictionary<string, List<PersonAnswer>> _answers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Disposition>> _dispositions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Lazy<Dictionary<string, SheetLine>> _questions = new(() => Lines(PeopleSheets.Questions(bundle, controls)));
    private readonly Lazy<Dictionary<string, SheetLine>> _exceptions = new(() => Lines(PeopleSheets.Exceptions(bundle)));

    /// <summary>The faults found so far, each with its file and line.</summary>
    public ImmutableArray<string> Faults => [.. _faults];

    public PeopleSaid Said => new(
        _answers.ToImmutableDictionary(a => a.Key, a => a.Value.ToImmutableArray(), StringComparer.Ordinal),
        _dispositions.ToImmutableDictionary(d => d.Key, d => d.Value.ToImmutableArray(), StringComparer.Ordinal));

    /// <summary>Reads one sheet.</summary>
    /// <param name="name">Its name in messages.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public void Read(Stream content, string name)
    {
        try
        {
            using var csv = new CsvReader(content, name);
            if (Columns(csv, name) is not { } columns)
                return;
            foreach (var record in csv.Records())
            {
                if (_faults.Count >= MostFaults)
                {
                    _faults.Add($"{name}:{record.Line}: this line and those after it were not looked at, after {MostFaults} faults");
                    return;
                }
                var cells = csv.Header.Zip(record.Fields).ToDictionary(c => c.First, c => c.Second.Trim(), StringComparer.Ordinal);
                if (!columns.Asked.All(c => cells[c].Length == 0))
                    Line(columns, cells, $"{name}:{record.Line}");
            }
        }
        catch (InvalidDataException e)
        {
            _faults.Add(e.Message);
        }
    }

    private static Dictionary<string, SheetLine> Lines(IEnumerable<SheetLine> lines) =>
        lines.DistinctBy(l => l.Key).ToDictionary(l => l.Key, StringComparer.Ordinal);

    /// <summary>Returns the kind of a sheet by its header; null, after a fault, for any other header.</summary>
    private SheetColumns? Columns(CsvReader csv, string name)
    {
        foreach (var columns in new[] { PeopleSheets.AnswerColumns, PeopleSheets.DispositionColumns })
        {
            if (columns.All.ToHashSet(StringComparer.Ordinal).SetEquals(csv.Header))
                return columns;
        }
        if (csv.Header is [var only] && only.Contains(';', StringComparison.Ordinal))
        {
            _faults.Add($"{name}:1: has semicolons between its columns; save it with commas, as it was written");
            return null;
        }
        _faults.Add($"{name}:1: is neither a sheet of answers nor one of dispositions; 'auditcli conclude BUNDLE --sheets DIR' writes both");
        return null;
    }

    /// <summary>Reads a line that a person filled in, and names all its faults.</summary>
    private void Line(SheetColumns columns, Dictionary<string, string> cells, string place)
    {
        var isAnswer = columns == PeopleSheets.AnswerColumns;
        var key = isAnswer ? $"{cells["control"]} {cells["question_id"]}" : cells["exception_id"];
        var before = _faults.Count;
        foreach (var column in columns.Asked.Where(c => cells[c].Length > LongestCell))
        {
            Fault(
                place,
                $"{column} has {cells[column].Length} characters, more than the {LongestCell} that reports show; put it into a document and name that");
        }
        if (cells["bundle"] != bundle.Id || cells["tagmanifest_sha256"] != bundle.Files.TagManifestSha256?.Hex)
            Fault(place, $"is for bundle {Shown(cells["bundle"])}, not for {bundle.Id} with this tag manifest");
        else if (!(isAnswer ? _questions : _exceptions).Value.TryGetValue(key, out var line))
            Fault(place, isAnswer ? $"{Shown(key)} is not a question of the bundle's controls" : $"{Shown(key)} is not an exception of the bundle");
        else
        {
            foreach (var (changed, was) in columns.Given.Zip(line.Given).Where(c => !IsSame(cells[c.First], c.Second)))
                Fault(place, $"{changed} was changed: it is '{Shown(was)}' in the bundle");
            if (!_seen.Add(key))
                Fault(place, $"{Shown(key)} has been answered on an earlier line");
        }
        if (isAnswer)
            Answer(cells, place, before);
        else
            Dispose(cells, place, before);
    }

    /// <param name="before">The number of faults before this line. With one more, the line does not count.</param>
    private void Answer(Dictionary<string, string> cells, string place, int before)
    {
        if (!PeopleSheets.Answers.TryGetValue(cells["answer"], out var word))
            Fault(place, $"answer is '{Shown(cells["answer"])}', not one of {string.Join(", ", PeopleSheets.Answers.Keys)}");
        else if (word == PersonWord.Yes && Filler.GivesNoReason(cells["reference"]))
            Fault(place, "reference must say where a 'yes' can be checked, such as a ticket or a document");
        else if (word == PersonWord.Na && Filler.GivesNoReason(cells["note"]))
            Fault(place, "note must say why the question does not apply");
        var at = Person(cells, "answered_by", "answered_at", place);
        if (_faults.Count == before)
        {
            Add(_answers, cells["control"], new(
                cells["question_id"], word, cells["answered_by"], at, Stated(cells["reference"]), Stated(cells["note"])));
        }
    }

    /// <inheritdoc cref="Answer" path="/param"/>
    private void Dispose(Dictionary<string, string> cells, string place, int before)
    {
        if (!PeopleSheets.Dispositions.TryGetValue(cells["disposition"], out var word))
            Fault(place, $"disposition is '{Shown(cells["disposition"])}', not one of {string.Join(", ", PeopleSheets.Dispositions.Keys)}");
        else if (word != DispositionWord.TrueDeviation && Filler.GivesNoReason(cells["why"]))
            Fault(place, $"why must say why the exception is {cells["disposition"]}");
        var at = Person(cells, "decided_by", "decided_at", place);
        if (_faults.Count == before)
        {
            Add(_dispositions, cells["control"], new(
                cells["exception_id"], cells["test"], cells["account"], cells["item"], word, cells["decided_by"], at, Stated(cells["why"])));
        }
    }

    /// <summary>Returns when a person answered, and names what does not count of the person and of the time.</summary>
    private DateTimeOffset Person(Dictionary<string, string> cells, string by, string when, string place)
    {
        var collected = RunRecord.Instant(bundle.Record.Started, "started");
        if (cells[by].Length == 0)
            Fault(place, $"{by} must name a person");
        else if (PersonName.WhyNot(cells[by]) is { } odd)
            Fault(place, $"{by} {odd}, so it is not the name of a person");
        else if (PersonName.MayBe(cells[by], bundle.Record.Reviewer)
            || engagement.Team.Any(m => m.Role == TeamRole.Reviewer && PersonName.MayBe(cells[by], m.Name)))
            Fault(place, $"{by} is {Shown(cells[by])}, who reviews this audit; another person must answer");
        else if (!engagement.Team.IsEmpty && !engagement.Team.Any(m => PersonName.IsSame(cells[by], m.Name))
            && !PersonName.IsSame(cells[by], bundle.Record.Preparer))
            Fault(place, $"{by} is {Shown(cells[by])}, who is not in the team of the engagement");
        if (!Rfc3339.TryParse(cells[when], out var at))
            Fault(place, $"{when} is '{Shown(cells[when])}', not a time such as 2026-11-30T09:00:00Z");
        else if (at > now)
            Fault(place, $"{when} is in the future");
        else if (at < collected)
            Fault(place, $"{when} is before {Rfc3339.Format(collected)}, when the evidence was collected");
        return at;
    }

    private void Fault(string place, string message) => _faults.Add($"{place}: {message}");

    private static void Add<T>(Dictionary<string, List<T>> all, string control, T said)
    {
        if (!all.TryGetValue(control, out var list))
            all[control] = list = [];
        list.Add(said);
    }

    /// <summary>Whether a cell is what the sheet had, with the apostrophe that keeps spreadsheets from evaluating it or without.</summary>
    private static bool IsSame(string cell, string given) => cell == given.Trim() || cell == $"'{given.Trim()}";

    private static string? Stated(string text) => text.Length == 0 ? null : text;

    private static string Shown(string text) => PrintableText.Of(text, 200);
}
