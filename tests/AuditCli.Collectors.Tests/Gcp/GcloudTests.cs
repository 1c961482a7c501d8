using System.Diagnostics;
using System.Text.Json;
using AuditCli.Collectors.Gcp;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>A test that asks the Google Cloud CLI for a second opinion. Without it the test is skipped, and says so; where CI=true it fails.</summary>
public sealed class GcloudFactAttribute : FactAttribute
{
    public GcloudFactAttribute()
    {
        if (Gcloud.Executable is null && Environment.GetEnvironmentVariable("CI") != "true")
            Skip = Gcloud.HowToInstall;
    }
}

/// <summary>As <see cref="GcloudFactAttribute"/>, with data.</summary>
public sealed class GcloudTheoryAttribute : TheoryAttribute
{
    public GcloudTheoryAttribute()
    {
        if (Gcloud.Executable is null && Environment.GetEnvironmentVariable("CI") != "true")
            Skip = Gcloud.HowToInstall;
    }
}

/// <summary>The real Google Cloud CLI.</summary>
internal static class Gcloud
{
    public const string HowToInstall = "gcloud is not installed: see https://cloud.google.com/sdk/docs/install";

    public static string? Executable => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, "gcloud"))
        .FirstOrDefault(File.Exists);

    /// <summary>What a command prints as JSON, with the endpoints of the test's environment.</summary>
    public static async Task<JsonElement> AskAsync(string arguments, string folder)
    {
        var start = new ProcessStartInfo(Executable ?? throw new InvalidOperationException(HowToInstall)) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments.Split(' ').Append("--format=json"))
            start.ArgumentList.Add(argument);
        var token = Path.Combine(folder, "token");
        await File.WriteAllTextAsync(token, "a-token-of-gcloud");
        foreach (var (name, value) in new[]
        {
            ("CONFIG", Path.Combine(folder, "gcloud")), ("CORE_PROJECT", "p-one"), ("CORE_DISABLE_PROMPTS", "1"), ("CORE_DISABLE_USAGE_REPORTING", "true"),
            ("COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true"), ("SURVEY_DISABLE_PROMPTS", "true"), ("AUTH_ACCESS_TOKEN_FILE", token),
        })
        {
            start.Environment["CLOUDSDK_" + name] = value;
        }
        // No property of the CLI, and ours alone.
        start.Environment.Remove("CLOUDSDK_API_ENDPOINT_OVERRIDES_OPENIDCONNECT");
        start.Environment.Remove("GOOGLE_APPLICATION_CREDENTIALS");
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync();
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await said);
        return JsonSerializer.Deserialize<JsonElement>(printed);
    }
}

[Collection("environment")]
public sealed class GcloudTests
{
    [GcloudTheory]
    [InlineData("projects list", "cloudresourcemanager.v1:projects.list")]
    [InlineData("projects get-iam-policy p-one", "cloudresourcemanager.v1:projects.getIamPolicy")]
    [InlineData("iam service-accounts list", "iam:projects.serviceAccounts.list")]
    [InlineData("iam service-accounts keys list --iam-account=a@p-one.iam.gserviceaccount.com", "iam:projects.serviceAccounts.keys.list", "name", "projects/p-one/serviceAccounts/a@p-one.iam.gserviceaccount.com")]
    [InlineData("compute firewall-rules list", "compute:firewalls.list")]
    [InlineData("compute instances list", "compute:instances.aggregatedList")]
    [InlineData("sql instances list", "sqladmin:instances.list")]
    public async Task The_cli_reads_the_same_from_the_same_server(string command, string operation, string? parameter = null, string? value = null)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var theirs = await Gcloud.AskAsync(command, session.Folder);
        var ours = (await session.CollectAsync(operation, parameter is null ? [] : [(parameter, value!)])).SelectMany(p => p.Rows).Select(r => r.Value);

        Assert.Equal(
            (theirs.ValueKind == JsonValueKind.Array ? theirs.EnumerateArray() : Enumerable.Repeat(theirs, 1)).Select(Canonical).Order(StringComparer.Ordinal),
            ours.Select(Canonical).Order(StringComparer.Ordinal));
    }

    [GcloudFact]
    public async Task The_cli_takes_the_role_that_is_printed()
    {
        using var server = new GoogleServer("""
            {
              "POST /v1/permissions:queryTestablePermissions": { "body": {} },
              "POST /v1/projects/p-one/roles": { "body": { "name": "projects/p-one/roles/auditcliReader" } }
            }
            """);
        await using var session = Session.Live(server);
        var document = CollectorCatalog.All.Single(c => c.Source.Name == GcpSource.Name).Permissions([session.Operation("iam:projects.serviceAccounts.list"), session.Operation("cloudasset:assets.list")], []);

        await Gcloud.AskAsync($"iam roles create auditcliReader --project=p-one --file={session.Write("role.yaml", document.Text)}", session.Folder);

        var role = JsonElement.Parse(server.Seen.Single(r => r.Path == "/v1/projects/p-one/roles").Body).GetProperty("role");
        Assert.Equal(["iam.serviceAccounts.list"], role.GetProperty("includedPermissions").EnumerateArray().Select(p => p.GetString()));
        Assert.Equal(("AuditCli reader", "GA"), (role.GetProperty("title").GetString(), role.GetProperty("stage").GetString()));
    }

    /// <summary>Members in order, without ours and without false, which the CLI adds where the API leaves it out; numbers and their texts alike, since the CLI knows which integers are wide.</summary>
    private static string Canonical(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', e.EnumerateObject().Where(m => m.Name != "_key" && m.Value.ValueKind != JsonValueKind.False).OrderBy(m => m.Name, StringComparer.Ordinal).Select(m => $"{m.Name}:{Canonical(m.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(',', e.EnumerateArray().Select(Canonical)) + "]",
        _ => e.ToString(),
    };
}
