using AuditCli.Tests;

// dotnet run --project tests/AuditCli.TestServers -- samples/google.json
//
// Starts the Google server with these resources and an empty Kubernetes API server. Prints the variables that direct gcloud,
// kubectl and auditcli to them, one NAME=value per line, and finally READY. Ends with its standard input.
if (args is not [var resources])
{
    Console.Error.WriteLine("usage: AuditCli.TestServers GOOGLE-RESOURCES.json");
    return 1;
}
using var folder = new TemporaryFolder();
using var google = new GoogleServer(File.ReadAllText(resources));
const string Auditor = "auditor@nq-ledger-prod.iam.gserviceaccount.com";
google.Emails["MARKERtokenOfServiceAccountMARKER"] = Auditor;
await using var cluster = await KubeApiServer.StartAsync();
foreach (var (name, value) in google.Overrides)
    Console.WriteLine($"{name}={value}");
Console.WriteLine($"GOOGLE_APPLICATION_CREDENTIALS={folder.Write("credentials.json", google.ServiceAccountFile(Auditor))}");
Console.WriteLine($"KUBECONFIG={folder.Write("kubeconfig", cluster.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}", context: "trading-prod"))}");
Console.WriteLine($"ADMIN_KUBECONFIG={folder.Write("admin-kubeconfig", cluster.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}"))}");
Console.WriteLine("READY");
await Console.In.ReadToEndAsync();
return 0;
