namespace AuditCli.Tests;

/// <summary>The environment and the engagement with which a process uses the loopback server as Google Cloud.</summary>
public static class GoogleEnvironment
{
    public const string Account = "auditor@p-one.iam.gserviceaccount.com";

    /// <summary>The account to which the server attributes a service account's token.</summary>
    public const string Auditor = "auditor@nq-ledger-prod.iam.gserviceaccount.com";

    /// <summary>The sample company: an organization with folders, three projects, and one fault of each kind.</summary>
    public static GoogleServer Server() => new(File.ReadAllText(Repository.Path("samples", "google.json")));

    /// <summary>
    /// Returns an engagement with one target and some controls, and a tolerance so wide that the age of the state raises no limitation.
    /// </summary>
    public static string Engagement(string controls, string target) => $$"""
        schema: 1
        entity: Northquay Exchange
        name: Google Cloud
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-23T00:00:00Z
        as_of_tolerance: 36500d
        preparer: M. Okafor
        reviewer: S. Lindqvist
        controls:
          include: [{{controls}}]
        targets:
          google: { gcp: { {{target}} } }
        """;

    /// <summary>Returns variables that send every API to the server.</summary>
    public static Dictionary<string, string> At(GoogleServer server) => new(server.Overrides);

    /// <summary>Returns variables that send every API to the server, and writes a service account's key into the folder.</summary>
    public static Dictionary<string, string> At(GoogleServer server, TemporaryFolder folder) => new(server.Overrides)
    {
        ["GOOGLE_APPLICATION_CREDENTIALS"] = folder.Write("credentials.json", server.ServiceAccountFile(Account)),
    };
}
