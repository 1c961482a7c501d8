using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>
/// Writes OSCAL assessment results (NIST, version 1.2.1): a finding per control, and an observation per item with the exchanges that
/// support it. Only PASS is <c>satisfied</c>; a control that was not concluded is <c>not-satisfied</c> with the reason <c>other</c> instead
/// of <c>fail</c>.
/// </summary>
internal sealed class OscalReport : IReportFormat
{
    private const string Version = "1.2.1";

    public string Name => "oscal";

    public string FileName => "results.oscal.json";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        using var json = new Utf8JsonWriter(output);
        new Document(new(json, workpaper.Run.BundleId), workpaper, cancellationToken).Write();
    }

    private sealed class Document(OscalWriter oscal, Workpaper workpaper, CancellationToken cancellationToken)
    {
        private readonly Utf8JsonWriter _json = oscal.Json;
        private readonly OscalObservations _observations = new(oscal, workpaper, cancellationToken);

        public void Write()
        {
            _json.WriteStartObject();
            _json.WriteStartObject("assessment-results");
            _json.WriteString("uuid", oscal.Uuid("assessment-results"));
            WriteMetadata();
            _json.WriteStartObject("import-ap");
            _json.WriteString("href", $"#{_observations.Resource(BundleLayout.Engagement)}");
            oscal.Line(
                "remarks",
                "There is no assessment plan in OSCAL. "
                + "What was planned (entity, period, controls, targets) is the engagement, a resource of the back matter.");
            _json.WriteEndObject();
            _json.WriteStartArray("results");
            WriteResult();
            _json.WriteEndArray();
            _observations.WriteBackMatter();
            _json.WriteEndObject();
            _json.WriteEndObject();
            _json.Flush();
        }

        private void WriteMetadata()
        {
            _json.WriteStartObject("metadata");
            oscal.Line("title", workpaper.Run.ReplayLine is { } replay ? $"{replay}: {workpaper.Title}" : workpaper.Title);
            _json.WriteString("last-modified", workpaper.Run.Finished);
            oscal.Line("version", oscal.Bundle);
            _json.WriteString("oscal-version", Version);
            _json.WriteStartArray("props");
            foreach (var (label, value) in workpaper.Identification)
                oscal.Property(OscalWriter.Token(label), value);
            _json.WriteEndArray();
            _json.WriteStartArray("roles");
            foreach (var role in new[] { "preparer", "reviewer" })
            {
                _json.WriteStartObject();
                _json.WriteString("id", role);
                _json.WriteString("title", role);
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
            _json.WriteStartArray("parties");
            oscal.Party("organization", workpaper.Run.Entity);
            oscal.Party("person", workpaper.Run.Preparer);
            if (workpaper.Run.Reviewer != workpaper.Run.Preparer)
                oscal.Party("person", workpaper.Run.Reviewer);
            _json.WriteEndArray();
            _json.WriteStartArray("responsible-parties");
            foreach (var (role, name) in new[] { ("preparer", workpaper.Run.Preparer), ("reviewer", workpaper.Run.Reviewer) })
            {
                _json.WriteStartObject();
                _json.WriteString("role-id", role);
                _json.WriteStartArray("party-uuids");
                _json.WriteStringValue(oscal.Uuid("person", name));
                _json.WriteEndArray();
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
            oscal.Lines("remarks", workpaper.Notes.Select(n => n.Text).DefaultIfEmpty("Nothing narrows the scope."));
            _json.WriteEndObject();
        }

        private void WriteResult()
        {
            _json.WriteStartObject();
            _json.WriteString("uuid", oscal.Uuid("result"));
            oscal.Line("title", workpaper.TotalsLine);
            var extent = workpaper.Controls.Any(c => !c.IsWholly)
                ? "Not every item of each population is tested to the end; the findings say what is open."
                : "Every item of each population was tested.";
            oscal.Line(
                "description",
                $"IT general controls of {workpaper.Title}, period {workpaper.Run.PeriodWords}, "
                + $"state as of {RunRecord.Second(workpaper.Run.AsOf)}. {extent}");
            _json.WriteString("start", workpaper.Run.Started);
            _json.WriteString("end", workpaper.Run.Finished);
            _observations.WriteItems();
            WriteReviewed();
            _observations.Write();
            _json.WriteStartArray("findings");
            foreach (var control in workpaper.Controls)
                WriteFinding(control);
            _json.WriteEndArray();
            oscal.Lines(
                "remarks",
                workpaper.Results.NotTested.Select(n => $"not tested: {n.Id}: {n.Reason}").DefaultIfEmpty("Everything selected was tested."));
            _json.WriteEndObject();
        }

        private void WriteReviewed()
        {
            var reviewed = workpaper.Controls.Where(c => c.Result.Conclusion != Conclusion.NotApplicable).ToArray();
            _json.WriteStartObject("reviewed-controls");
            _json.WriteStartArray("control-selections");
            _json.WriteStartObject();
            if (reviewed.Length == 0)
                _json.WriteString("description", "No control applied.");
            _json.WriteStartArray("include-controls");
            foreach (var control in reviewed.Length == 0 ? [.. workpaper.Controls] : reviewed)
            {
                _json.WriteStartObject();
                _json.WriteString("control-id", OscalWriter.Token(control.Result.Id));
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
            _json.WriteEndObject();
            _json.WriteEndArray();
            _json.WriteEndObject();
        }

        private void WriteFinding(WorkpaperControl control)
        {
            var result = control.Result;
            _json.WriteStartObject();
            _json.WriteString("uuid", oscal.Uuid("finding", result.Id));
            oscal.Line("title", $"{result.Id}: {result.Title}");
            oscal.Lines("description", control.Reasons.Prepend($"{control.Conclusion}: {control.Meaning}"));
            _json.WriteStartArray("props");
            oscal.Property("conclusion", Wording.Name(result.Conclusion));
            oscal.Property("population", control.Counts.PopulationWords);
            oscal.Property("exceptions", $"{control.Counts.Exceptions}");
            oscal.Property("approved-exceptions", $"{control.Counts.Approved}");
            oscal.Property("undetermined", $"{control.Counts.Undetermined}");
            oscal.Property("indicated", $"{control.Counts.Indicated}");
            foreach (var (test, count) in control.Counts.Tests)
                oscal.Property($"test-{OscalWriter.Token(test)}", count.Words);
            oscal.Property("control-version", result.Version);
            oscal.Property("control-origin", result.Origin.ToString().ToLowerInvariant());
            oscal.Property("control-sha256", result.Sha256.Hex);
            oscal.Property("evidence-rows", control.TableRowsLine);
            oscal.Property("holds-for", workpaper.SpanOf(control));
            _json.WriteEndArray();
            _json.WriteStartObject("target");
            _json.WriteString("type", "objective-id");
            _json.WriteString("target-id", OscalWriter.Token(result.Id));
            _json.WriteStartObject("status");
            _json.WriteString("state", result.Conclusion == Conclusion.Pass ? "satisfied" : "not-satisfied");
            _json.WriteString("reason", result.Conclusion switch { Conclusion.Pass => "pass", Conclusion.Fail => "fail", _ => "other" });
            oscal.Line("remarks", $"{control.Conclusion}: {control.Meaning}");
            _json.WriteEndObject();
            _json.WriteEndObject();
            _observations.WriteRelated(control);
            _json.WriteEndObject();
        }
    }
}
