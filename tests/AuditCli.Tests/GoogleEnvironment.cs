namespace AuditCli.Tests;

/// <summary>What a process needs to take the loopback server for Google Cloud, and to audit it.</summary>
public static class GoogleEnvironment
{
    public const string Account = "auditor@p-one.iam.gserviceaccount.com";

    /// <summary>Whom the server takes a service account's token for.</summary>
    public const string Auditor = "auditor@nq-ledger-prod.iam.gserviceaccount.com";

    /// <summary>The sample company: an organization with folders, three projects, and a fault of each kind.</summary>
    public static GoogleServer Server() => new(File.ReadAllText(Repository.Path("samples", "google.json")));

    /// <summary>One target, some controls, and no complaint about how long ago its state was read.</summary>
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

    /// <summary>Every API at the server.</summary>
    public static Dictionary<string, string> At(GoogleServer server) => new(server.Overrides);

    /// <summary>Every API at the server, and the key of a service account in the folder.</summary>
    public static Dictionary<string, string> At(GoogleServer server, TemporaryFolder folder) => new(server.Overrides)
    {
        ["GOOGLE_APPLICATION_CREDENTIALS"] = folder.Write("credentials.json", server.ServiceAccountFile(Account)),
    };
}
