using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>
/// Writes the items of an OSCAL document: each as a subject, with an observation per test, the exchanges that support it, and the files of
/// these with their digests.
/// </summary>
internal sealed class OscalObservations(OscalWriter oscal, Workpaper workpaper, CancellationToken cancellationToken)
{
    private readonly Utf8JsonWriter _json = oscal.Json;
    private readonly SortedSet<string> _files = new(StringComparer.Ordinal)
    {
        BundleLayout.Engagement,
        BundleLayout.EvidenceIndex,
        BundleLayout.Results,
    };

    /// <summary>Returns the identifier of a file of the bundle, and adds the file to the back matter.</summary>
    public string Resource(string file)
    {
        _files.Add(file);
        return oscal.Uuid("resource", file);
    }

    /// <summary>Writes the items as inventory items, with the account of each.</summary>
    public void WriteItems()
    {
        var sources = workpaper.Run.Targets.GroupBy(t => t.Name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First().Source, StringComparer.Ordinal);
        var any = false;
        var items = workpaper.Controls.SelectMany(c => workpaper.Traces.Items(c, cancellationToken));
        foreach (var row in items.DistinctBy(r => (r.Target, r.Account, r.Item)))
        {
            if (!any)
            {
                _json.WriteStartObject("local-definitions");
                _json.WriteStartArray("inventory-items");
                any = true;
            }
            _json.WriteStartObject();
            _json.WriteString("uuid", Subject(row));
            oscal.Line("description", $"{row.Item} in {row.Place}");
            _json.WriteStartArray("props");
            oscal.Property("asset-id", row.Item, standard: true);
            Where(row);
            if (sources.TryGetValue(row.Target, out var source))
                oscal.Property("source", source);
            _json.WriteEndArray();
            _json.WriteEndObject();
        }
        if (!any)
            return;
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    /// <summary>Writes an observation per item and test, exceptions first.</summary>
    public void Write()
    {
        var any = false;
        foreach (var control in workpaper.Controls)
        {
            var traces = workpaper.Traces.Of(control, cancellationToken);
            foreach (var row in workpaper.Traces.Items(control, cancellationToken))
            {
                if (!any)
                    _json.WriteStartArray("observations");
                any = true;
                Write(control, row, traces.GetValueOrDefault((row.Test, row.Line)) ?? ItemTrace.None);
            }
        }
        if (any)
            _json.WriteEndArray();
    }

    /// <summary>Writes the observations that a control's finding rests on, and how many of its items have one.</summary>
    public void WriteRelated(WorkpaperControl control)
    {
        var given = 0L;
        foreach (var row in workpaper.Traces.Items(control, cancellationToken))
        {
            if (++given == 1)
                _json.WriteStartArray("related-observations");
            _json.WriteStartObject();
            _json.WriteString("observation-uuid", Observation(row));
            _json.WriteEndObject();
        }
        if (given > 0)
            _json.WriteEndArray();
        var all = control.Result.Tests.Sum(t => t.Population);
        oscal.Lines("remarks", ControlReasons.Remarks(control.Result).Prepend(given < all
            ? $"{given} of {Wording.Count(all, "tested item")} are given as observations, exceptions first; {BundleLayout.ResultsFolder} has them all."
            : $"All of {Wording.Count(all, "tested item")} are given as observations."));
    }

    /// <summary>Writes the files that observations name, with their digests.</summary>
    public void WriteBackMatter()
    {
        _json.WriteStartObject("back-matter");
        _json.WriteStartArray("resources");
        foreach (var file in _files)
        {
            _json.WriteStartObject();
            _json.WriteString("uuid", oscal.Uuid("resource", file));
            oscal.Line("title", file);
            _json.WriteStartArray("rlinks");
            _json.WriteStartObject();
            _json.WriteString("href", Href(file));
            _json.WriteStartArray("hashes");
            _json.WriteStartObject();
            _json.WriteString("algorithm", "SHA-256");
            _json.WriteString("value", workpaper.Bundle.Files.DigestOf(file).Hex);
            _json.WriteEndObject();
            _json.WriteEndArray();
            _json.WriteEndObject();
            _json.WriteEndArray();
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void Write(WorkpaperControl control, PopulationRow row, ItemTrace trace)
    {
        _json.WriteStartObject();
        _json.WriteString("uuid", Observation(row));
        oscal.Line("title", $"{control.Result.Id} {row.Test}: {row.Item}");
        oscal.Line("description", row.Verdict == ItemVerdict.Pass
            ? "pass"
            : $"{row.Result}: {row.Reason ?? "no reason given"}{(row.ApprovalWords is { Length: > 0 } approval ? $"; approved by {approval}" : "")}");
        _json.WriteStartArray("props");
        oscal.Property("result", row.Result.Replace(' ', '-'));
        oscal.Property("mode", ControlWords.Of(ControlWords.Modes, control.ModeOf(row.Test)));
        if (row.ExceptionId is { } id)
            oscal.Property("exception-id", id);
        _json.WriteEndArray();
        _json.WriteStartArray("methods");
        _json.WriteStringValue("TEST");
        _json.WriteEndArray();
        _json.WriteStartArray("types");
        _json.WriteStringValue(row.Verdict == ItemVerdict.Pass ? "control-objective" : "finding");
        _json.WriteEndArray();
        _json.WriteStartArray("subjects");
        _json.WriteStartObject();
        _json.WriteString("subject-uuid", Subject(row));
        _json.WriteString("type", "inventory-item");
        oscal.Line("title", row.Item);
        _json.WriteStartArray("props");
        Where(row);
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndArray();
        WriteEvidence(row, trace);
        _json.WriteString("collected", Collected(control, row, trace));
        _json.WriteEndObject();
    }

    private void WriteEvidence(PopulationRow row, ItemTrace trace)
    {
        _json.WriteStartArray("relevant-evidence");
        foreach (var reference in trace.References.Where(r => r.File is not null))
        {
            Start(reference.File!, $"{reference.Evidence}: {reference.Item.Source} {reference.Item.Operation}: {reference.Reference}");
            _json.WriteStartArray("props");
            oscal.Property("reference", reference.Reference);
            oscal.Property("kind", reference.Kind.ToString().ToLowerInvariant());
            if (reference.Attempt?.RequestId is { } request)
                oscal.Property("request-id", request);
            _json.WriteEndArray();
            _json.WriteEndObject();
        }
        Start(row.File, $"line {row.Line} of {row.File}");
        _json.WriteEndObject();
        _json.WriteEndArray();

        void Start(string file, string description)
        {
            _json.WriteStartObject();
            _json.WriteString("href", Href(file));
            oscal.Line("description", description);
            _json.WriteStartArray("links");
            _json.WriteStartObject();
            _json.WriteString("href", $"#{Resource(file)}");
            _json.WriteString("rel", "reference");
            _json.WriteEndObject();
            _json.WriteEndArray();
        }
    }

    /// <summary>
    /// Returns when the item was read: the date of the response that supports it, or the last date of its account's evidence.
    /// </summary>
    private string Collected(WorkpaperControl control, PopulationRow row, ItemTrace trace)
    {
        if (trace.References.FirstOrDefault(r => r.Attempt?.Date is not null)?.Attempt?.Date is { } date)
            return Rfc3339.Format(date);
        var read = control.Evidence
            .Where(e => e.Item.Target.Length > 0
                && (row.Target == Controls.Evaluation.Partition.Everywhere || (e.Item.Target == row.Target && e.Item.Account == row.Account)))
            .Select(e => e.Item.Finished).ToArray();
        return read.Length > 0 ? Rfc3339.Format(read.Max()) : workpaper.Run.Finished;
    }

    private void Where(PopulationRow row)
    {
        oscal.Property("target", row.Target);
        oscal.Property("account", row.Account);
    }

    private string Subject(PopulationRow row) => oscal.Uuid("item", row.Target, row.Account, row.Item);

    private string Observation(PopulationRow row) => oscal.Uuid("observation", row.Control, row.Test, $"{row.Line}");

    /// <summary>Returns the path of a file relative to the reports' folder.</summary>
    private static string Href(string file) => $"../{file[(BundleLayout.Payload.Length + 1)..]}";
}
