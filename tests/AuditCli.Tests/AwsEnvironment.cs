namespace AuditCli.Tests;

/// <summary>What a process needs to take a loopback server for AWS.</summary>
public static class AwsEnvironment
{
    public static Dictionary<string, string> At(string url) => new()
    {
        ["AWS_ENDPOINT_URL"] = url,
        ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
        ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
        ["AWS_DEFAULT_REGION"] = "us-east-1",
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };
}
