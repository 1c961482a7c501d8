using System.Globalization;
using System.Text.Json.Nodes;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Runs the program against a loopback server with the given numbers of things to read in turn, and prints wall time, processor time, peak
/// memory and requests. If the cost is linear, the time for each thing is constant.
/// </summary>
internal static class ScaleMeasurement
{
    /// <summary>Reads the given numbers of IAM users of one AWS account.</summary>
    public static Task<int> UsersAsync(string[] arguments) => EachAsync(arguments, "APD-AWS-004", "user", async (users, control) =>
    {
        using var server = new IamServer(users, TimeSpan.Zero);
        var run = await MeasuredProcess.RunAsync($"{users} users", control, "{ prod: { aws: { regions: [us-east-1] } } }", _ => new Dictionary<string, string>
        {
            ["AWS_ENDPOINT_URL"] = server.Url,
            ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
            ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
            ["AWS_DEFAULT_REGION"] = "us-east-1",
        });
        return (run, server.Answered);
    });

    /// <summary>
    /// Reads the given numbers of projects of one Google Cloud organization, in one folder, with their inherited role bindings.
    /// </summary>
    public static Task<int> ProjectsAsync(string[] arguments) => EachAsync(arguments, "APD-GCP-001", "project", async (projects, control) =>
    {
        using var server = new GoogleServer(Organization(projects));
        var run = await MeasuredProcess.RunAsync($"{projects} projects", control, "{ org: { gcp: { organization: \"9\" } } }", folder =>
        {
            var credentials = Path.Combine(folder, "credentials.json");
            File.WriteAllText(credentials, server.ServiceAccountFile("auditor@p-0.iam.gserviceaccount.com"));
            return new Dictionary<string, string>
            {
                ["GOOGLE_APPLICATION_CREDENTIALS"] = credentials,
                ["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER"] = server.Address.AbsoluteUri,
                ["CLOUDSDK_API_ENDPOINT_OVERRIDES_OPENIDCONNECT"] = server.Address.AbsoluteUri,
            };
        });
        return (run, server.Seen.Count);
    });

    private static async Task<int> EachAsync(
        string[] arguments, string usual, string counted, Func<int, string, Task<(MeasuredProcess Run, int Requests)>> measure)
    {
        var control = arguments.FirstOrDefault(a => !a.All(char.IsAsciiDigit)) ?? usual;
        Console.WriteLine($"{control}\n{MeasuredProcess.Heading(counted)}");
        foreach (var count in arguments.Where(a => a.All(char.IsAsciiDigit)).Select(a => int.Parse(a, CultureInfo.InvariantCulture)))
        {
            var (run, requests) = await measure(count, control);
            Console.WriteLine(run.Line(count, requests, wished: 0));
        }
        return 0;
    }

    /// <summary>
    /// Returns an organization whose projects all give the same answers about themselves. A policy has fifty members on each level.
    /// </summary>
    private static string Organization(int projects)
    {
        static JsonObject Policy() => new()
        {
            ["etag"] = "BwY=",
            ["bindings"] = new JsonArray(new JsonObject
            {
                ["role"] = "roles/viewer",
                ["members"] = new JsonArray([.. Enumerable.Range(0, 50).Select(i => (JsonNode)$"user:{i}@example.com")]),
            }),
        };
        static JsonObject Answer(JsonObject body) => new() { ["body"] = body };
        static JsonObject List(string member, IEnumerable<JsonObject> data) => new() { ["list"] = member, ["data"] = new JsonArray([.. data]) };
        return new JsonObject
        {
            ["/v3/projects?parent=organizations/9"] = List("projects", []),
            ["/v3/folders?parent=organizations/9"] = List("folders", [new() { ["name"] = "folders/1" }]),
            ["/v3/projects?parent=folders/1"] = List("projects", Enumerable.Range(0, projects).Select(i => new JsonObject { ["projectId"] = $"p-{i}" })),
            ["/v3/folders?parent=folders/1"] = List("folders", []),
            ["GET /v3/projects/*"] = Answer(new() { ["parent"] = "folders/1" }),
            ["GET /v3/folders/*"] = Answer(new() { ["parent"] = "organizations/9" }),
            ["POST /v3/projects/*"] = Answer(Policy()),
            ["POST /v3/folders/*"] = Answer(Policy()),
            ["POST /v3/organizations/*"] = Answer(Policy()),
            ["POST /v1/projects/*"] = Answer(new() { ["ancestor"] = new JsonArray(new JsonObject(), new JsonObject(), new JsonObject()) }),
        }.ToJsonString();
    }
}
