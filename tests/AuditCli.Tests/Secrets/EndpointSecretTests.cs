using System.Text.Json.Nodes;
using AuditCli.Tests.Commands;

namespace AuditCli.Tests.Secrets;

/// <summary>
/// Runs <c>doctor</c> and <c>run</c> once for targets whose endpoint addresses contain credentials, different ones for each endpoint.
/// </summary>
public sealed class EndpointsWithSecrets : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IamServer _aws = new(users: 2, TimeSpan.Zero);
    private readonly GoogleServer _google = GoogleEnvironment.Server();
    private readonly int _nobody = Loopback.FreePort();

    public CommandResult Run { get; private set; } = new(0, "", "");
    public CommandResult Doctor { get; private set; } = new(0, "", "");
    public CommandResult Reperformed { get; private set; } = new(0, "", "");

    /// <summary>The output and the content of every file that was written.</summary>
    public string Everything { get; private set; } = "";

    /// <summary>Returns the part of an endpoint's address that may not appear anywhere.</summary>
    public static string Secret(string endpoint) => $"MARKER{endpoint}MARKER";

    public async Task InitializeAsync()
    {
        OwnControls.Write(_folder, "APD-AWS-901", "  users: { aws: iam:ListUsers }\n");
        OwnControls.Write(_folder, "APD-GCP-901", "  accounts: { gcp: iam:projects.serviceAccounts.list }\n  firewalls: { gcp: compute:firewalls.list }\n");
        OwnControls.Write(_folder, "APD-K8S-901", "  pods: { kubernetes: v1/pods }\n");
        _folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: Example Exchange
            name: Endpoints
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: 2026-11-23T00:00:00Z
            as_of_tolerance: 36500d
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: lib
            targets:
              password: { aws: { profile: password, regions: [us-east-1] } }
              query: { aws: { profile: query, regions: [us-east-1] } }
              role: { aws: { profile: role, role_arn: "arn:aws:iam::111122223333:role/Audit", regions: [us-east-1] } }
              absent: { aws: { profile: absent, regions: [us-east-1] } }
              scheme: { aws: { profile: scheme, regions: [us-east-1] } }
              google: { gcp: { projects: [nq-matching-prod] } }
              server: { kubernetes: { kubeconfig: {{_folder.Path}}/kubeconfig, context: server } }
              question: { kubernetes: { kubeconfig: {{_folder.Path}}/kubeconfig, context: question } }
              proxy: { kubernetes: { kubeconfig: {{_folder.Path}}/kubeconfig, context: proxy } }
            """);
        Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "keys", "new", "auditor.pem", "--no-passphrase")).ExitCode);
        _google.Emails["MARKERtokenOfServiceAccountMARKER"] = GoogleEnvironment.Auditor;
        var environment = Environment();
        Doctor = await AuditCommand.ProcessAsync(_folder.Path, environment, [], "doctor", "engagement.yaml");
        string[] signed = ["--sign", "auditor.pem", "--tsa", WithSecrets($"http://127.0.0.1:{_nobody}/tsr", "authority")];
        Run = await AuditCommand.ProcessAsync(_folder.Path, environment, [], ["run", "engagement.yaml", "--out", "out", "-v", .. signed]);
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Reperformed = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--trust", "auditor.pem.pub");
        Everything = Doctor.ToString() + Run + Reperformed + await CredentialTests.EverythingAsync(Path.Combine(_folder.Path, "out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _aws.Dispose();
        _google.Dispose();
        _folder.Dispose();
    }

    private Dictionary<string, string> Environment()
    {
        var credentials = JsonNode.Parse(_google.ServiceAccountFile(GoogleEnvironment.Account))!;
        credentials["token_uri"] = WithSecrets(credentials["token_uri"]!.GetValue<string>(), "token");
        var environment = _google.Overrides.ToDictionary(o => o.Key, o => WithSecrets(o.Value, "google"));
        environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"] = WithSecrets("ftp://127.0.0.1/", "compute");
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = _folder.Write("credentials.json", credentials.ToJsonString());
        environment["HTTPS_PROXY"] = WithSecrets($"http://127.0.0.1:{_nobody}", "tunnel");
        environment["AWS_CONFIG_FILE"] = _folder.Write("config", string.Concat(new[]
        {
            Profile("password", $"http://auditor:{Secret("password")}@127.0.0.1:{new Uri(_aws.Url).Port}"),
            Profile("query", $"{_aws.Url}/?token={Secret("query")}&other={Secret("query")}#{Secret("query")}"),
            Profile("role", WithSecrets(_aws.Url, "role")),
            Profile("absent", WithSecrets($"https://127.0.0.1:{_nobody}/", "absent")),
            Profile("scheme", $"auditor:{Secret("scheme")}@127.0.0.1"),
        }));
        environment["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(_folder.Path, "none");
        environment["AWS_EC2_METADATA_DISABLED"] = "true";
        _folder.Write("kubeconfig", $$"""
            apiVersion: v1
            kind: Config
            contexts:
            - { name: server, context: { cluster: server, user: anybody } }
            - { name: question, context: { cluster: question, user: anybody } }
            - { name: proxy, context: { cluster: proxy, user: anybody } }
            clusters:
            - { name: server, cluster: { server: "http://auditor:{{Secret("server")}}@127.0.0.1:{{_nobody}}" } }
            - { name: question, cluster: { server: "http://127.0.0.1:{{_nobody}}/?token={{Secret("question")}}" } }
            - { name: proxy, cluster: { server: "http://cluster.example", proxy-url: "{{WithSecrets($"http://127.0.0.1:{_nobody}", "proxy")}}" } }
            users: [{ name: anybody, user: { token: {{Secret("bearer")}} } }]
            """);
        return environment;
    }

    private static string Profile(string name, string endpoint) => $"""
        [profile {name}]
        region = us-east-1
        aws_access_key_id = AKIAIOSFODNN7EXAMPLE
        aws_secret_access_key = {Secret("key")}
        endpoint_url = {endpoint}

        """;

    /// <summary>Returns the address with a user, a password and a query.</summary>
    private static string WithSecrets(string url, string endpoint) => new UriBuilder(url)
    {
        UserName = "auditor",
        Password = Secret(endpoint),
        Query = $"token={Secret(endpoint)}&x={Secret(endpoint)}",
    }.Uri.AbsoluteUri;
}

/// <summary>
/// Checks that the output still names the server of an address with credentials, and that these are neither written nor printed.
/// </summary>
public sealed class EndpointSecretTests(EndpointsWithSecrets run) : IClassFixture<EndpointsWithSecrets>
{
    [Theory]
    [InlineData("password", "target password is account 111122223333")]
    [InlineData("query", "target query is read through other targets\n  account 111122223333 is read through target password\n")]
    [InlineData("role", "target role is read through other targets\n  account 111122223333 is read through target password\n")]
    [InlineData("role", "sts:AssumeRole")]
    [InlineData("absent", "target absent CANNOT BE ENTERED: ConnectionFailed")]
    [InlineData("tunnel", "target absent CANNOT BE ENTERED: ConnectionFailed")]
    [InlineData("scheme", "target scheme CANNOT BE ENTERED: InvalidEndpoint")]
    [InlineData("google", "target google is account nq-matching-prod")]
    [InlineData("token", "oauth2:jwt-bearer")]
    [InlineData("compute", "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE must be an http or https address")]
    [InlineData("server", "the server of the cluster server has more than a host and a path")]
    [InlineData("question", "the server of the cluster question has more than a host and a path")]
    [InlineData("proxy", "target proxy CANNOT BE ENTERED: ")]
    [InlineData("authority", "/tsr: ")]
    [InlineData("bearer", "target proxy CANNOT BE ENTERED: ")]
    [InlineData("key", "target password is account 111122223333")]
    public void What_the_address_of_an_endpoint_holds_beside_the_host_is_written_and_printed_nowhere(string endpoint, string said)
    {
        // Without this the test would pass if the endpoint had never been used.
        Assert.Contains(said, run.Everything, StringComparison.Ordinal);
        var secret = EndpointsWithSecrets.Secret(endpoint);
        foreach (var form in new[] { secret, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"auditor:{secret}")) })
            Assert.DoesNotContain(form, run.Everything, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Such_addresses_are_asked_and_recorded_so_that_the_bundle_can_be_done_again()
    {
        Assert.True(run.Run.ExitCode == 3, run.Run.ToString());
        Assert.True(run.Doctor.ExitCode == 3, run.Doctor.ToString());
        Assert.Contains("endpoint that is not the provider's own: http://127.0.0.1:", run.Run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("credential-not-stored", run.Everything, StringComparison.Ordinal);
        Assert.True(run.Reperformed.ExitCode == 0, run.Reperformed.ToString());
    }

    [Fact]
    public async Task An_authority_that_is_no_address_of_the_web_is_refused_without_its_password()
    {
        var result = await AuditCommand.RunAsync("/", "seal", "bundle", "--sign", "auditor.pem", "--tsa", "ftp://auditor:MARKER@127.0.0.1/?token=MARKER");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("127.0.0.1/: not an http or https address", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", result.ToString(), StringComparison.Ordinal);
    }
}
