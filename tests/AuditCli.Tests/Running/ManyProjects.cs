using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AuditCli.Tests.Commands;

namespace AuditCli.Tests.Running;

/// <summary>
/// A Google organization with more projects than one bundle holds, on a loopback server, and a library that reads each of them, their service
/// accounts, and each account's keys, and compares all projects with each other.
/// </summary>
internal static partial class ManyProjects
{
    /// <summary>Returns a server with so many projects; the third and every seventh after it deny their service accounts.</summary>
    public static GoogleServer Server(int projects, Func<GoogleRequest, int, GoogleFault?>? fault = null)
    {
        var resources = JsonNode.Parse(File.ReadAllText(Repository.Path("tests", "Shared", "google.json")))!.AsObject();
        var listed = new JsonArray();
        for (var n = 1; n <= projects; n++)
        {
            var id = Id(n);
            listed.Add(new JsonObject
            {
                ["name"] = $"projects/{n}",
                ["projectId"] = id,
                ["parent"] = "organizations/123456789012",
                ["state"] = "ACTIVE",
                ["displayName"] = id,
                ["createTime"] = "2024-01-01T00:00:00.5Z",
            });
            resources[$"/v1/projects/{id}/serviceAccounts"] = n % 7 == 3
                ? new JsonObject { ["disabled"] = "iam.googleapis.com" }
                : new JsonObject
                {
                    ["permission"] = "iam.serviceAccounts.list",
                    ["list"] = "accounts",
                    ["data"] = Accounts(id, n % 4),
                };
        }
        resources["/v3/projects?parent=organizations/123456789012"] = new JsonObject
        {
            ["permission"] = "resourcemanager.projects.list",
            ["list"] = "projects",
            ["data"] = listed,
        };
        resources["/v3/folders?parent=organizations/123456789012"]!["data"] = new JsonArray();
        return new(resources.ToJsonString(), fault);
    }

    public static string Id(int project) => string.Create(CultureInfo.InvariantCulture, $"p-{project:000}");

    /// <summary>Writes the library and the engagement.</summary>
    public static void Write(TemporaryFolder folder)
    {
        var each = OwnControls.Write(
            folder, "APD-GCP-901",
            "  accounts: { gcp: iam:projects.serviceAccounts.list }\n"
            + "  keys: { gcp: iam:projects.serviceAccounts.keys.list, for_each: accounts, with: { name: name } }\n");
        // The id of a record differs from run to run, and would be in every item.
        File.WriteAllText(each, File.ReadAllText(each).Replace("t._ref AS item", "t.name AS item", StringComparison.Ordinal));
        var across = OwnControls.Write(folder, "APD-GCP-902", "  accounts: { gcp: iam:projects.serviceAccounts.list }\n");
        File.WriteAllText(across, File.ReadAllText(across)
            .Replace("key_control: false", "key_control: false\nacross: engagement", StringComparison.Ordinal).Replace(
            "SELECT t._ref AS item, true AS pass, '' AS reason FROM accounts t",
            "SELECT t.displayName AS item, count(*) < 9 AS pass, count(*) || ' projects have it' AS reason FROM accounts t GROUP BY t.displayName",
            StringComparison.Ordinal));
        folder.Write("register.csv", "project\np-001\n");
        folder.Write("engagement.yaml", GoogleEnvironment.Engagement("APD-GCP-901, APD-GCP-902", "organization: \"123456789012\"") + """

            library: lib
            inputs:
              projects: { file: register.csv, obtained_from: them, obtained_on: 2026-11-16, how: export, stated_rows: 1 }
            """);
    }

    /// <summary>Runs to the end in a process of its own.</summary>
    public static Task<CommandResult> RunAsync(TemporaryFolder folder, GoogleServer server, params string[] arguments) =>
        AuditCommand.ProcessAsync(folder.Path, GoogleEnvironment.At(server, folder), [], arguments);

    /// <summary>
    /// Returns what a bundle says, without times, places of files and ids of records: its results, the rows of its tests, and of each evidence
    /// item the outcome, the counts and the rows.
    /// </summary>
    /// <param name="exactly">Whether the ids of records and the times are equal too, as those of replays are.</param>
    public static IEnumerable<string> Said(string bundle, bool exactly = false)
    {
        var opened = AuditCli.Bundles.BundleFolder.Sealed(bundle);
        yield return Timeless(Encoding.UTF8.GetString(opened.Read("data/results/results.json"))).Replace(",\"", ",\n\"", StringComparison.Ordinal);
        foreach (var path in opened.Below("data/results/").Where(p => p.EndsWith(".ndjson", StringComparison.Ordinal)))
        {
            using var rows = new StreamReader(opened.Open(path));
            yield return $"{path}\n{Timeless(rows.ReadToEnd())}";
        }
        foreach (var item in AuditCli.Bundles.OpenedBundle.ItemsOf(opened))
        {
            yield return $"{item.EvidenceId} {item.Target} {item.Account} {item.Region} {item.Outcome} {item.Code} {item.Pages} {item.Items} "
                + $"{item.Exchanges.Length} {string.Join(' ', item.Names)} {item.Identity}";
            foreach (var table in new[] { item.Table, item.Calls }.OfType<string>())
            {
                using var rows = new AuditCli.Evidence.Tables.TableReader(opened.Open(table), table);
                foreach (var row in rows.ReadRows())
                    yield return exactly ? row.GetRawText() : Plain(row).GetRawText();
            }
        }

        string Timeless(string text) => exactly ? text : Times().Replace(text, "");
    }

    [GeneratedRegex("\"(read_from|read_until|partitions_sha256|sha256)\":\"[^\"]*\",?")]
    private static partial Regex Times();

    /// <summary>Returns a row without what names exchanges.</summary>
    private static JsonElement Plain(JsonElement row) => JsonSerializer.SerializeToElement(row.EnumerateObject()
        .Where(m => m.Name is not ("_ref" or "_parent" or "exchanges" or "started" or "finished")).ToDictionary(m => m.Name, m => m.Value));

    private static JsonArray Accounts(string project, int count) => [.. Enumerable.Range(1, count).Select(n => (JsonNode)new JsonObject
    {
        ["name"] = $"projects/{project}/serviceAccounts/a{n}@{project}.iam.gserviceaccount.com",
        ["projectId"] = project,
        ["uniqueId"] = $"{project}-{n}",
        ["email"] = $"a{n}@{project}.iam.gserviceaccount.com",
        ["displayName"] = $"Account {n}",
        ["etag"] = "MDE=",
    })];
}
