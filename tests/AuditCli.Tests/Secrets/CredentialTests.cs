using System.IO.Compression;
using System.Text;

namespace AuditCli.Tests.Secrets;

/// <summary>Tests every origin of credentials, and that no credential is written or printed.</summary>
public sealed class CredentialTests
{
    private const string ProfileKey = "AKIAIOSFODNNPROFILE1";
    private const string ProfileSecret = "MARKERprofilesecretMARKERprofilesecretMAR";
    private const string Config = $"""
        [profile audit]
        region = us-east-1
        aws_access_key_id = {ProfileKey}
        aws_secret_access_key = {ProfileSecret}
        """;

    [Theory]
    [InlineData("profile: audit, regions: [us-east-1]", ProfileKey, false)]
    [InlineData("profile: audit, role_arn: \"arn:aws:iam::111122223333:role/Audit\", external_id: engagement-7, regions: [us-east-1]", IamServer.RoleKey, true)]
    public async Task A_targets_profile_and_role_sign_its_requests_and_are_written_nowhere(string settings, string signer, bool assumes)
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace("regions: [us-east-1]", settings, StringComparison.Ordinal));
        var config = folder.Write("config", Config);
        using var server = new IamServer(users: 2, TimeSpan.Zero);
        var result = await AuditCommand.ProcessAsync(
            folder.Path,
            new Dictionary<string, string>
            {
                ["AWS_ENDPOINT_URL"] = server.Url,
                ["AWS_CONFIG_FILE"] = config,
                ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder.Path, "none"),
                ["AWS_EC2_METADATA_DISABLED"] = "true",
            },
            [],
            "run", "engagement.yaml", "--out", "out", "-v");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(signer, server.SignedBy["ListUsers"]);
        Assert.Equal(assumes ? ProfileKey : null, server.SignedBy.GetValueOrDefault("AssumeRole"));
        var written = result + await EverythingAsync(Path.Combine(folder.Path, "out"));
        Assert.Equal(assumes, written.Contains("sts:AssumeRole", StringComparison.Ordinal));
        foreach (var secret in new[] { ProfileSecret, IamServer.RoleSecret, IamServer.RoleToken })
            Assert.DoesNotContain(secret, written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web identity", "sts:AssumeRoleWithWebIdentity")]
    [InlineData("container", null)]
    [InlineData("machine", null)]
    [InlineData("single sign-on", "sso:GetRoleCredentials")]
    [InlineData("chain of profiles", "sts:AssumeRole")]
    public async Task Every_way_to_credentials_that_the_SDK_knows_signs_requests_and_is_written_nowhere(string way, string? exchange)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero);
        const string Secret = "MARKERproofOfIdentityMARKERproofOfIdentity";
        var settings = way switch { "single sign-on" => "profile: portal", "chain of profiles" => "profile: last", _ => null };
        var first = settings is null ? "" : settings + ", ";
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace(
            "regions: [us-east-1]", $"{first}regions: [us-east-1]", StringComparison.Ordinal));
        var environment = new Dictionary<string, string>
        {
            ["AWS_ENDPOINT_URL"] = server.Url,
            ["AWS_REGION"] = "us-east-1",
            ["HOME"] = folder.Path,
            ["AWS_CONFIG_FILE"] = folder.Write("config", $"""
                [profile portal]
                region = us-east-1
                sso_session = company
                sso_account_id = 111122223333
                sso_role_name = AuditReadOnly
                [sso-session company]
                sso_region = us-east-1
                sso_start_url = https://company.example/start
                sso_registration_scopes = sso:account:access
                [profile base]
                region = us-east-1
                aws_access_key_id = {ProfileKey}
                aws_secret_access_key = {ProfileSecret}
                [profile hub]
                region = us-east-1
                role_arn = arn:aws:iam::123456789012:role/Hub
                source_profile = base
                [profile last]
                region = us-east-1
                role_arn = arn:aws:iam::111122223333:role/Audit
                source_profile = hub
                external_id = engagement-7
                """),
            ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder.Path, "none"),
        };
        if (way != "machine")
            environment["AWS_EC2_METADATA_DISABLED"] = "true";
        switch (way)
        {
            case "web identity":
                environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder.Write("token", Secret);
                environment["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/Audit";
                break;
            case "container":
                environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.Url + "/container";
                environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = folder.Write("token", Secret);
                break;
            case "machine":
                environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.Url;
                break;
            case "single sign-on":
                // The name of the cache file is the SHA-1 of the session's name.
                folder.Write(
                    ".aws/sso/cache/71b21161ffa1e6516bcc072aaf5ef38cbe85b511.json",
                    $$"""{"startUrl":"https://company.example/start","region":"us-east-1","accessToken":"{{Secret}}","expiresAt":"2036-01-01T00:00:00Z"}""");
                break;
        }
        var result = await AuditCommand.ProcessAsync(folder.Path, environment, [], "run", "engagement.yaml", "--out", "out", "-v");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(IamServer.RoleKey, server.SignedBy["ListUsers"]);
        if (way == "machine")
            Assert.Equal(("PUT", "/latest/api/token", null), server.AskedForCredentials.First());
        if (way is "container" or "single sign-on")
            Assert.Equal(Secret, server.AskedForCredentials.Last().Proof);
        if (way == "chain of profiles")
        {
            Assert.Equal(2, server.Assumed.Count);
            Assert.Contains("ExternalId=engagement-7", server.Assumed.Last(), StringComparison.Ordinal);
        }
        var written = result + await EverythingAsync(Path.Combine(folder.Path, "out"));
        if (exchange is not null)
            Assert.Contains(exchange, written, StringComparison.Ordinal);
        foreach (var secret in new[] { Secret, ProfileSecret, IamServer.RoleSecret, IamServer.RoleToken })
            Assert.DoesNotContain(secret, written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_profile_that_does_not_exist_is_a_limitation_that_names_it()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace("regions:", "profile: nobody, regions:", StringComparison.Ordinal));
        using var server = new IamServer(users: 2, TimeSpan.Zero);
        var result = await AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("nobody", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, server.Answered);
    }

    /// <summary>Returns the content of every file below a folder, with gzip files decompressed.</summary>
    internal static async Task<string> EverythingAsync(string folder)
    {
        var everything = new StringBuilder();
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            await using var raw = File.OpenRead(file);
            await using Stream content = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : raw;
            using var reader = new StreamReader(content, Encoding.Latin1);
            everything.Append(await reader.ReadToEndAsync());
        }
        return everything.ToString();
    }
}
