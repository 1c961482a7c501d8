using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Coverage;

/// <summary>The JSON of <c>coverage</c>, in one line. Answers are in the order of the bundles.</summary>
internal static class CoverageJson
{
    public static string Of(CoverageReport report) => new JsonObject
    {
        ["bundles"] = Array(report.Bundles.Select(b => new JsonObject
        {
            ["bundle_id"] = b.Id,
            ["tagmanifest_sha256"] = b.Files.TagManifestSha256?.Hex,
            ["entity"] = b.Record.Entity,
            ["as_of"] = b.Record.AsOf,
            ["mode"] = b.Record.Mode,
        })),
        ["pack"] = report.Pack is { } pack
            ? new JsonObject { ["name"] = pack.Name, ["title"] = pack.Title, ["states_clauses"] = pack.StatesClauses }
            : null,
        ["domains"] = Rows(report.Domains),
        ["frameworks"] = Array(report.Frameworks.Select(f => new JsonObject
        {
            ["key"] = f.Framework.Key,
            ["title"] = f.Framework.Title,
            ["publisher"] = f.Framework.Publisher,
            ["version"] = f.Framework.Version,
            ["complete"] = f.Framework.Complete,
            ["listed"] = f.Framework.Listed,
            ["clauses"] = Rows(f.Rows),
        })),
        ["unreferenced"] = Array(report.Unreferenced.Select(f => (JsonNode)f.Key)),
        ["notes"] = Array(report.Notes.Select(n => (JsonNode)n)),
    }.ToJsonString(PrintedJson.Options);

    private static JsonArray Rows(ImmutableArray<CoverageRow> rows) => Array(rows.Select(r => new JsonObject
    {
        ["id"] = r.Id,
        ["words"] = r.Words,
        ["state"] = r.IsGap ? "no_control" : r.IsTested ? "tested" : "not_tested",
        ["controls"] = Array(r.Controls.Select(c => new JsonObject
        {
            ["id"] = c.Id,
            ["title"] = c.Title,
            ["in_pack"] = c.InPack,
            ["answers"] = Array(c.Answers.Select(a => new JsonObject
            {
                ["conclusion"] = a.Conclusion is { } conclusion ? Wording.Name(conclusion) : null,
                ["shown"] = a.Shown,
            })),
        })),
    }));

    private static JsonArray Array(IEnumerable<JsonNode> items) => new([.. items]);
}
