using System.Diagnostics;
using System.Text.Json;

namespace AuditCli.Tests;

/// <summary>The real Google Cloud CLI.</summary>
internal static class Gcloud
{
    public const string HowToInstall = "gcloud is not installed: see https://cloud.google.com/sdk/docs/install";

    public static string? Executable => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, "gcloud"))
        .FirstOrDefault(File.Exists);

    /// <summary>Runs a command and returns its JSON output.</summary>
    /// <param name="endpoints">The CLI's own variables for the addresses of the APIs.</param>
    public static async Task<JsonElement> AskAsync(string arguments, string folder, IReadOnlyDictionary<string, string> endpoints)
    {
        var start = new ProcessStartInfo(Executable ?? throw new InvalidOperationException(HowToInstall))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var argument in arguments.Split(' ').Append("--format=json"))
            start.ArgumentList.Add(argument);
        var token = Path.Combine(folder, "token");
        await File.WriteAllTextAsync(token, "a-token-of-gcloud");
        // OPENIDCONNECT is a variable of this program only; the CLI refuses it as an unknown property.
        foreach (var (name, value) in endpoints.Where(e => e.Key.StartsWith("CLOUDSDK_API_ENDPOINT_OVERRIDES_", StringComparison.Ordinal)
            && !e.Key.EndsWith("_OPENIDCONNECT", StringComparison.Ordinal)))
            start.Environment[name] = value;
        start.Environment.Remove("CLOUDSDK_API_ENDPOINT_OVERRIDES_OPENIDCONNECT");
        start.Environment.Remove("GOOGLE_APPLICATION_CREDENTIALS");
        foreach (var (name, value) in new[]
        {
            ("CONFIG", Path.Combine(folder, "gcloud")), ("CORE_PROJECT", "p-one"), ("CORE_DISABLE_PROMPTS", "1"), ("CORE_DISABLE_USAGE_REPORTING", "true"),
            ("COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true"), ("SURVEY_DISABLE_PROMPTS", "true"), ("AUTH_ACCESS_TOKEN_FILE", token),
        })
        {
            start.Environment["CLOUDSDK_" + name] = value;
        }
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync();
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await said);
        return JsonElement.Parse(printed);
    }
}
