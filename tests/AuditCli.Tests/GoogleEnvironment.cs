namespace AuditCli.Tests;

/// <summary>What a process needs to take a loopback server for Google Cloud.</summary>
public static class GoogleEnvironment
{
    public const string Account = "auditor@p-one.iam.gserviceaccount.com";

    /// <summary>The Google Cloud CLI's variables for every API of the catalogue, with the path that stands before each API's own.</summary>
    private static readonly (string Name, string Base)[] Endpoints =
    [
        ("BIGQUERY", "bigquery/v2/"), ("CLOUDASSET", ""), ("CLOUDKMS", ""), ("CLOUDRESOURCEMANAGER", ""), ("COMPUTE", "compute/v1/"), ("CONTAINER", ""),
        ("IAM", ""), ("IAMCREDENTIALS", ""), ("LOGGING", ""), ("ORGPOLICY", ""), ("SERVICEUSAGE", ""), ("SQL", ""), ("STORAGE", "storage/v1/"),
    ];

    /// <summary>All APIs at the server, and the key of a service account in the folder.</summary>
    public static Dictionary<string, string> At(GoogleServer server, TemporaryFolder folder)
    {
        var variables = Endpoints.ToDictionary(e => "CLOUDSDK_API_ENDPOINT_OVERRIDES_" + e.Name, e => new Uri(server.Address, e.Base).AbsoluteUri);
        variables["GOOGLE_APPLICATION_CREDENTIALS"] = folder.Write("credentials.json", server.ServiceAccountFile(Account));
        return variables;
    }
}
