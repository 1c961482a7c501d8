using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Tests.Loading;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Tests;
using NJsonSchema;

namespace AuditCli.Controls.Tests;

/// <summary>
/// Checks that the JSON Schemas, which editors use, and the loaders refuse the same documents as far as form is concerned. Complete
/// documents are broken in every place and in many ways.
/// </summary>
public sealed class SchemaAgreementTests
{
    [Fact]
    public async Task The_schema_of_controls_refuses_what_the_loader_refuses()
    {
        var schema = await JsonSchema.FromFileAsync(Repository.Path("controls", "control.schema.json"));
        var other = Samples.ControlWithFilters
            .Replace(
                "completeness:\n  - across: engagement\n    name: the report covers every user that existed when it was made\n"
                    + "    sql: SELECT count(*) FROM credential_report\n    equals: |\n      SELECT count(*)\n      FROM users\n"
                    + "    sources: [the credential report, the list of users]\n",
                "completeness: { none: There is one list. }\n",
                StringComparison.Ordinal)
            .Replace("{ gcp: iam:serviceAccounts.list, if_target: true }", "{ kubernetes: v1/pods, if_target: true }", StringComparison.Ordinal);
        Assert.NotEqual(Samples.ControlWithFilters, other);

        var product = Samples.ControlWithFilters
            .Replace("{ gcp: iam:serviceAccounts.list, if_target: true }", "{ http: okta:users.list, if_target: true }", StringComparison.Ordinal);

        EveryKeyIsUsed("control.schema.json", Samples.ControlWithFilters, other, product);
        Agree(schema, Samples.ControlWithFilters, FormFaults);
        Agree(schema, other, FormFaults);

        static string[] FormFaults(string yaml) =>
            Form(ControlLibrary.Load([Samples.File("APD-AWS-002", yaml)], TestSources.Shipped, ImmutableDictionary<string, Digest>.Empty).Faults);
    }

    [Fact]
    public async Task The_schema_of_engagements_refuses_what_the_loader_refuses()
    {
        var schema = await JsonSchema.FromFileAsync(Repository.Path("controls", "engagement.schema.json"));
        using var folder = new TemporaryFolder();

        // No file has all of these, but the form of each is checked whatever the file.
        var content = Samples.ShippedEngagement.Replace(
            "file: inputs/leavers.csv,",
            "file: inputs/leavers.csv, sheet: Leavers, rows: /items/*, stated_totals: { amount: 45000.15 },",
            StringComparison.Ordinal) + """

            team: [{ name: Q. Quiet, role: respondent, key: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a }]
            retain_from: 2027-03-01
            legal_hold: { since: 2026-11-01, by: G. Counsel, why: Litigation }

            """;
        content = content.Replace(
            "stated_rows: 57,",
            "stated_rows: 57, receipt: { given_by: H. Resources, received_by: A. Preparer, received_at: 2026-09-30T10:00:00Z, received_sha256: "
                + $"{Digest.Of([])}, source_system: HRIS, source_kind: system-export, transformations: Saved as CSV., compared_to_source: Five rows. }},",
            StringComparison.Ordinal)
            .Replace("{ aws: { regions: [eu-west-1] } }", "{ aws: { regions: [eu-west-1] }, credentials_of: auditor }", StringComparison.Ordinal);

        EveryKeyIsUsed("engagement.schema.json", content);
        Agree(schema, content, yaml => Form(EngagementLoader.Load(folder.WithFolders(yaml), TestSources.Shipped).Faults));
        Agree(schema, Samples.ShippedEngagement, yaml => Form(EngagementLoader.Load(folder.WithFolders(yaml), TestSources.Shipped).Faults));
    }

    [Fact]
    public async Task The_schema_of_fixtures_refuses_what_the_loader_refuses()
    {
        var schema = await JsonSchema.FromFileAsync(Repository.Path("controls", "fixtures.schema.json"));
        var control = FixtureLoadingTests.Control();

        EveryKeyIsUsed("fixtures.schema.json", FixtureLoadingTests.Fixtures);
        Agree(schema, FixtureLoadingTests.Fixtures, yaml =>
            Form(FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(yaml)), control).Faults));
    }

    [Fact]
    public async Task The_schema_of_frameworks_refuses_what_the_loader_refuses()
    {
        var schema = await JsonSchema.FromFileAsync(Repository.Path("controls", "framework.schema.json"));
        var shipped = File.ReadAllText(Repository.Path("controls", "frameworks", "cis-eks-1.7.yaml"));

        EveryKeyIsUsed("framework.schema.json", shipped);
        Agree(schema, shipped, yaml => Form(FrameworkList.Load([], [new("frameworks/f.yaml", Encoding.UTF8.GetBytes(yaml))]).Faults));
    }

    private static string[] Form(IEnumerable<Diagnostic> faults) =>
        [.. faults.Where(f => f.Kind == DiagnosticKind.Form).Select(f => f.ToString())];

    /// <summary>Checks that the documents use every key, because an unused key is never broken and so never tested.</summary>
    private static void EveryKeyIsUsed(string schema, params string[] documents)
    {
        var known = Paths(JsonNode.Parse(File.ReadAllText(Repository.Path("controls", schema))), []).Where(p => p is [.., "properties", _]).Select(p => p[^1]);
        var used = documents.SelectMany(d => Paths(Json(d), [])).Where(p => p.Length > 0).Select(p => p[^1]);
        Assert.Empty(known.Except(used));
    }

    private static JsonNode Json(string yaml) => JsonNode.Parse(CoreSchema.ToJson(Parse(yaml)).GetRawText())!;

    private static void Agree(JsonSchema schema, string yaml, Func<string, string[]> formFaults)
    {
        var whole = Json(yaml);
        var differences = new List<string>();
        var (accepted, refused) = (0, 0);
        Compare("as it is", yaml);
        Assert.Equal(1, accepted);
        foreach (var (what, broken) in Mutations(whole))
            Compare(what, broken);
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.True(refused > 200 && accepted > 20, $"{refused} refused, {accepted} accepted: the mutations prove little");

        void Compare(string what, string text)
        {
            var bySchema = schema.Validate(CoreSchema.ToJson(Parse(text)).GetRawText());
            var byLoader = formFaults(text);
            if (bySchema.Count > 0 != byLoader.Length > 0)
                differences.Add($"{what}: schema [{string.Join("; ", bySchema.Select(e => $"{e.Kind} {e.Path}"))}], loader [{string.Join("; ", byLoader)}]");
            else if (byLoader.Length > 0)
                refused++;
            else
                accepted++;
        }
    }

    private static YamlNode Parse(string yaml)
    {
        var (root, faults) = YamlDocument.Parse("f", Encoding.UTF8.GetBytes(yaml));
        Assert.Empty(faults);
        return root!;
    }

    private static IEnumerable<(string What, string Yaml)> Mutations(JsonNode whole)
    {
        foreach (var path in Paths(whole, []))
        {
            var label = string.Join('/', path);
            if (path.Length > 0)
            {
                yield return ($"{label} dropped", Changed(whole, path, (parent, key) => Remove(parent, key)));
                foreach (var json in new[] { "[]", "{}", "null", "7", "1.5", "true", "\"\"", "\" \"", "\"zzz nothing\"", "[null]", "{\"a\": null}" })
                    yield return ($"{label} = {json}", Changed(whole, path, (parent, key) => Set(parent, key, JsonNode.Parse(json))));
                if (At(whole, path) is JsonValue value)
                {
                    var text = value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
                    yield return ($"{label} misspelt", Changed(whole, path, (parent, key) => Set(parent, key, text + "x")));
                    yield return ($"{label} as text", Changed(whole, path, (parent, key) => Set(parent, key, text)));
                }
            }
            if (At(whole, path) is JsonObject)
            {
                foreach (var name in new[] { "zzz_unknown", "Bad Name!", "_", "ABC-DEF-001", "aws", "gcp", "file" })
                {
                    foreach (var json in new[] { "\"x\"", "{}", "[\"x\"]" })
                        yield return ($"{label} with {name}: {json}", Inside(whole, path, node => ((JsonObject)node)[name] = JsonNode.Parse(json)));
                }
            }
            if (At(whole, path) is JsonArray)
                yield return ($"{label} with one more", Inside(whole, path, node => ((JsonArray)node).Add(JsonNode.Parse("{}"))));
        }
    }

    private static IEnumerable<string[]> Paths(JsonNode? node, string[] here)
    {
        yield return here;
        var below = node switch
        {
            JsonObject map => map.Select(m => (m.Key, m.Value)),
            JsonArray list => list.Select((item, i) => (i.ToString(CultureInfo.InvariantCulture), item)),
            _ => [],
        };
        foreach (var (key, value) in below)
        {
            foreach (var path in Paths(value, [.. here, key]))
                yield return path;
        }
    }

    private static JsonNode? At(JsonNode node, ReadOnlySpan<string> path)
    {
        JsonNode? at = node;
        foreach (var key in path)
            at = at is JsonArray list ? list[int.Parse(key, CultureInfo.InvariantCulture)] : at![key];
        return at;
    }

    private static string Changed(JsonNode whole, string[] path, Action<JsonNode, string> change) =>
        Inside(whole, path[..^1], parent => change(parent, path[^1]));

    private static string Inside(JsonNode whole, string[] path, Action<JsonNode> change)
    {
        var copy = whole.DeepClone();
        change(At(copy, path)!);
        return copy.ToJsonString(new() { WriteIndented = true });
    }

    private static void Remove(JsonNode parent, string key)
    {
        if (parent is JsonArray list)
            list.RemoveAt(int.Parse(key, CultureInfo.InvariantCulture));
        else
            ((JsonObject)parent).Remove(key);
    }

    private static void Set(JsonNode parent, string key, JsonNode? value)
    {
        if (parent is JsonArray list)
            list[int.Parse(key, CultureInfo.InvariantCulture)] = value;
        else
            ((JsonObject)parent)[key] = value;
    }
}
