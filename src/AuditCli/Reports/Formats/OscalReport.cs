using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>
/// OSCAL assessment results (NIST, 1.2.1): a finding per control, an observation per exception. Only PASS is <c>satisfied</c>; what was
/// not concluded is <c>not-satisfied</c> for another reason than failing, and says so.
/// </summary>
internal sealed class OscalReport : IReportFormat
{
    private const string Version = "1.2.1";
    private const string Space = "urn:auditcli:oscal";
    private const int ExceptionsShown = 1000;
    private const int TextShown = 4000;

    public string Name => "oscal";

    public string FileName => "results.oscal.json";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        using var json = new Utf8JsonWriter(output);
        new Document(json, workpaper, cancellationToken).Write();
    }

    private sealed class Document(Utf8JsonWriter json, Workpaper workpaper, CancellationToken cancellationToken)
    {
        private readonly string _bundle = workpaper.Run.BundleId;

        public void Write()
        {
            json.WriteStartObject();
            json.WriteStartObject("assessment-results");
            json.WriteString("uuid", NameUuid.Of(_bundle, "assessment-results"));
            WriteMetadata();
            json.WriteStartObject("import-ap");
            json.WriteString("href", "../engagement.yaml");
            Line("remarks", "The engagement is the plan: which entity, period, controls and targets. It is data/engagement.yaml of the bundle.");
            json.WriteEndObject();
            json.WriteStartArray("results");
            WriteResult();
            json.WriteEndArray();
            WriteBackMatter();
            json.WriteEndObject();
            json.WriteEndObject();
            json.Flush();
        }

        private void WriteMetadata()
        {
            json.WriteStartObject("metadata");
            Line("title", workpaper.Run.ReplayLine is { } replay ? $"{replay}: {workpaper.Title}" : workpaper.Title);
            json.WriteString("last-modified", workpaper.Run.Finished);
            Line("version", _bundle);
            json.WriteString("oscal-version", Version);
            json.WriteStartArray("props");
            foreach (var (label, value) in workpaper.Identification)
                Property(Token(label), value);
            json.WriteEndArray();
            json.WriteStartArray("roles");
            foreach (var role in new[] { "preparer", "reviewer" })
            {
                json.WriteStartObject();
                json.WriteString("id", role);
                json.WriteString("title", role);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("parties");
            Party("organization", workpaper.Run.Entity);
            Party("person", workpaper.Run.Preparer);
            if (workpaper.Run.Reviewer != workpaper.Run.Preparer)
                Party("person", workpaper.Run.Reviewer);
            json.WriteEndArray();
            json.WriteStartArray("responsible-parties");
            foreach (var (role, name) in new[] { ("preparer", workpaper.Run.Preparer), ("reviewer", workpaper.Run.Reviewer) })
            {
                json.WriteStartObject();
                json.WriteString("role-id", role);
                json.WriteStartArray("party-uuids");
                json.WriteStringValue(NameUuid.Of(_bundle, "person", name));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            Lines("remarks", workpaper.Notes.Select(n => n.Text).DefaultIfEmpty("Nothing narrows the scope."));
            json.WriteEndObject();
        }

        private void WriteResult()
        {
            json.WriteStartObject();
            json.WriteString("uuid", NameUuid.Of(_bundle, "result"));
            Line("title", workpaper.TotalsLine);
            Line("description", $"IT general controls of {workpaper.Title}, period {workpaper.Run.PeriodWords}, state as of {RunDocument.Second(workpaper.Run.AsOf)}. Every item of each population was tested.");
            json.WriteString("start", workpaper.Run.Started);
            json.WriteString("end", workpaper.Run.Finished);
            WriteInventory();
            WriteReviewed();
            WriteObservations();
            json.WriteStartArray("findings");
            foreach (var control in workpaper.Controls)
                WriteFinding(control);
            json.WriteEndArray();
            Lines("remarks", workpaper.Results.NotTested.Select(n => $"not tested: {n.Id}: {n.Reason}").DefaultIfEmpty("Everything selected was tested."));
            json.WriteEndObject();
        }

        private void WriteInventory()
        {
            var accounts = workpaper.Run.Targets.Where(t => t.Account is not null).DistinctBy(t => (t.Name, t.Account)).ToArray();
            if (accounts.Length == 0)
                return;
            json.WriteStartObject("local-definitions");
            json.WriteStartArray("inventory-items");
            foreach (var target in accounts)
            {
                json.WriteStartObject();
                json.WriteString("uuid", Account(target.Name, target.Account!));
                Line("description", $"{target.Source} account {target.Account}, target {target.Name}, read as {target.Identity}{(target.IsNarrowed ? ", in named regions only" : "")}");
                json.WriteStartArray("props");
                Property("asset-id", target.Account!, standard: true);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }

        private void WriteReviewed()
        {
            var reviewed = workpaper.Controls.Where(c => c.Result.Conclusion != Conclusion.NotApplicable).ToArray();
            json.WriteStartObject("reviewed-controls");
            json.WriteStartArray("control-selections");
            json.WriteStartObject();
            if (reviewed.Length == 0)
                json.WriteString("description", "No control applied.");
            json.WriteStartArray("include-controls");
            foreach (var control in reviewed.Length == 0 ? [.. workpaper.Controls] : reviewed)
            {
                json.WriteStartObject();
                json.WriteString("control-id", Token(control.Result.Id));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        private void WriteObservations()
        {
            var any = false;
            foreach (var control in workpaper.Controls)
            {
                foreach (var (test, row) in Exceptions(control).Take(ExceptionsShown))
                {
                    if (!any)
                        json.WriteStartArray("observations");
                    any = true;
                    WriteObservation(control, test, row);
                }
            }
            if (any)
                json.WriteEndArray();
        }

        private void WriteObservation(WorkpaperControl control, string test, PopulationRow row)
        {
            json.WriteStartObject();
            json.WriteString("uuid", Observation(control, test, row));
            Line("title", $"{control.Result.Id} {test}: {row.Item}");
            Line("description", $"{row.Result}: {row.Reason ?? "no reason given"}{(row.ApprovalWords is { Length: > 0 } approval ? $"; approved by {approval}" : "")}");
            json.WriteStartArray("props");
            Property("result", row.Result.Replace(' ', '-'));
            Property("mode", ControlWords.Of(ControlWords.Modes, control.ModeOf(test)));
            if (row.ExceptionId is { } id)
                Property("exception-id", id);
            json.WriteEndArray();
            json.WriteStartArray("methods");
            json.WriteStringValue("TEST");
            json.WriteEndArray();
            json.WriteStartArray("types");
            json.WriteStringValue("finding");
            json.WriteEndArray();
            if (row.Account != "*" && row.Target.Length > 0)
            {
                json.WriteStartArray("subjects");
                json.WriteStartObject();
                json.WriteString("subject-uuid", Account(row.Target, row.Account));
                json.WriteString("type", "inventory-item");
                json.WriteEndObject();
                json.WriteEndArray();
            }
            json.WriteStartArray("relevant-evidence");
            json.WriteStartObject();
            var file = PopulationRows.PathOf(control.Result.Id, test);
            json.WriteString("href", "../" + file["data/".Length..]);
            Line("description", $"line {row.Line} of {file}");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("collected", workpaper.Run.Finished);
            json.WriteEndObject();
        }

        private void WriteFinding(WorkpaperControl control)
        {
            var result = control.Result;
            json.WriteStartObject();
            json.WriteString("uuid", NameUuid.Of(_bundle, "finding", result.Id));
            Line("title", $"{result.Id}: {result.Title}");
            Lines("description", ControlReasons.Of(result).Prepend($"{control.Conclusion}: {Wording.Meaning(result.Conclusion)}"));
            json.WriteStartArray("props");
            Property("conclusion", Wording.Name(result.Conclusion));
            Property("population", $"{result.Population}");
            Property("exceptions", $"{result.Deviations}");
            Property("approved-exceptions", $"{result.Approved}");
            Property("undetermined", $"{result.Undetermined}");
            Property("control-version", result.Version);
            Property("control-origin", result.Origin.ToString().ToLowerInvariant());
            Property("control-sha256", result.Sha256.Hex);
            Property("evidence-rows", control.TableRowsLine);
            Property("holds-for", workpaper.SpanOf(control));
            json.WriteEndArray();
            json.WriteStartObject("target");
            json.WriteString("type", "objective-id");
            json.WriteString("target-id", Token(result.Id));
            json.WriteStartObject("status");
            json.WriteString("state", result.Conclusion == Conclusion.Pass ? "satisfied" : "not-satisfied");
            json.WriteString("reason", result.Conclusion switch { Conclusion.Pass => "pass", Conclusion.Fail => "fail", _ => "other" });
            Line("remarks", $"{control.Conclusion}: {Wording.Meaning(result.Conclusion)}");
            json.WriteEndObject();
            json.WriteEndObject();
            var all = 0L;
            foreach (var (test, row) in Exceptions(control))
            {
                if (++all > ExceptionsShown)
                    continue;
                if (all == 1)
                    json.WriteStartArray("related-observations");
                json.WriteStartObject();
                json.WriteString("observation-uuid", Observation(control, test, row));
                json.WriteEndObject();
            }
            if (all > 0)
                json.WriteEndArray();
            if (all > ExceptionsShown)
                Line("remarks", $"{ExceptionsShown} of {all} observations are given; data/results/ has them all.");
            json.WriteEndObject();
        }

        private void WriteBackMatter()
        {
            json.WriteStartObject("back-matter");
            json.WriteStartArray("resources");
            foreach (var (file, digest) in new[] { ("results/results.json", workpaper.ResultsSha256.Hex), ("evidence/index.jsonl", workpaper.IndexSha256.Hex), ("engagement.yaml", workpaper.Run.EngagementSha256) })
            {
                json.WriteStartObject();
                json.WriteString("uuid", NameUuid.Of(_bundle, "resource", file));
                Line("title", $"data/{file}");
                json.WriteStartArray("rlinks");
                json.WriteStartObject();
                json.WriteString("href", $"../{file}");
                json.WriteStartArray("hashes");
                json.WriteStartObject();
                json.WriteString("algorithm", "SHA-256");
                Line("value", digest);
                json.WriteEndObject();
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }

        private IEnumerable<(string Test, PopulationRow Row)> Exceptions(WorkpaperControl control)
        {
            foreach (var test in control.Tests)
            {
                foreach (var row in PopulationRows.Of(workpaper.Folder, control.Result.Id, test))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (row.Verdict != ItemVerdict.Pass)
                        yield return (test, row);
                }
            }
        }

        private string Observation(WorkpaperControl control, string test, PopulationRow row) =>
            NameUuid.Of(_bundle, "observation", control.Result.Id, test, $"{row.Line}");

        private string Account(string target, string account) => NameUuid.Of(_bundle, "account", target, account);

        private void Party(string type, string name)
        {
            json.WriteStartObject();
            json.WriteString("uuid", NameUuid.Of(_bundle, type, name));
            json.WriteString("type", type);
            json.WriteString("name", Text(name));
            json.WriteEndObject();
        }

        private void Property(string name, string value, bool standard = false)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            if (!standard)
                json.WriteString("ns", Space);
            json.WriteString("value", Text(value));
            json.WriteEndObject();
        }

        private void Line(string name, string value) => json.WriteString(name, Markup(value));

        private void Lines(string name, IEnumerable<string> values) => json.WriteString(name, string.Join("\n\n", values.Select(Markup)));

        private static string Markup(string value) => MarkdownText.Escape(value, TextShown).Trim() is { Length: > 0 } text ? text : "none";

        private static string Text(string value) => ShownText.Line(value, TextShown).Trim() is { Length: > 0 } text ? text : "none";

        /// <summary>A name that OSCAL takes: letters, digits, points, lines, and none but a letter or line first.</summary>
        private static string Token(string value)
        {
            var plain = string.Concat(value.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
            return plain.Length > 0 && (char.IsAsciiLetter(plain[0]) || plain[0] == '_') ? plain : "_" + plain;
        }
    }
}
