using System.IO.Compression;
using System.Text;

namespace AuditCli.Tests;

/// <summary>Where credentials come from, and that they go nowhere.</summary>
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

    /// <summary>The bytes of every file below a folder, decompressed where they are gzip.</summary>
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
