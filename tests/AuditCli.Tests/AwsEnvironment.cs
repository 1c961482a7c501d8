namespace AuditCli.Tests;

/// <summary>The environment and the engagement with which a process uses a loopback server as AWS.</summary>
public static class AwsEnvironment
{
    /// <summary>
    /// Returns an engagement with one account, one region and one control, and a tolerance so wide that the age of the state raises no
    /// limitation.
    /// </summary>
    public static string Engagement(string control) => $$"""
        schema: 1
        entity: Example Exchange
        name: One account
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-23T00:00:00Z
        as_of_tolerance: 36500d
        preparer: A. Preparer
        reviewer: R. Reviewer
        controls:
          include: [{{control}}]
        targets:
          prod: { aws: { regions: [us-east-1] } }
        """;

    public static Dictionary<string, string> At(string url) => new()
    {
        ["AWS_ENDPOINT_URL"] = url,
        ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
        ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
        ["AWS_DEFAULT_REGION"] = "us-east-1",
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };
}
