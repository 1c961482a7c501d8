using System.Text.Json.Nodes;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Tests.Commands;

/// <summary>Tests <c>verify</c> on archives, unreadable files and revoked keys, from the command line.</summary>
public sealed class VerifyTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public async Task InitializeAsync()
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme");
        await bundle.WriteFileAsync("data/run.json", "{\"mode\":\"live\"}"u8.ToArray(), default);
        await bundle.WriteFileAsync("data/log.clef", "{}\n"u8.ToArray(), default);
        await bundle.SealAsync(new("AuditCli tests", new(2026, 11, 20), null), default);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [NeedsFact("zip", "tar")]
    public async Task An_archive_prints_what_its_folder_prints()
    {
        await MadeAsync("zip", "-qr", "acme.zip", "acme");
        await MadeAsync("tar", "-cf", "acme.tar", "acme");
        foreach (var form in new[] { "text", "json" })
        {
            var folder = await AuditCommand.RunAsync(_folder.Path, "verify", "acme", "--allow-unsigned", "--output", form);
            Assert.Equal(0, folder.ExitCode);
            foreach (var archive in new[] { "acme.zip", "acme.tar" })
                Assert.Equal(folder, await AuditCommand.RunAsync(_folder.Path, "verify", archive, "--allow-unsigned", "--output", form));
        }
    }

    [NeedsFact("zip", "tar")]
    public async Task An_unsafe_archive_says_why_and_nothing_is_unpacked()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "acme", "data", "link"), "/etc/passwd");
        await MadeAsync("zip", "-qry", "acme.zip", "acme");
        await MadeAsync("tar", "-cf", "acme.tar", "acme");
        var before = Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories);
        foreach (var archive in new[] { "acme.zip", "acme.tar" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, "verify", archive, "--allow-unsigned");
            Assert.Equal(2, result.ExitCode);
            Assert.Contains("CONTAINER_UNSAFE acme/data/link: is a symbolic link", result.Output, StringComparison.Ordinal);
        }
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [NeedsTheory("tar", "gzip")]
    [InlineData("acme.tar.gz")]
    [InlineData("acme.tgz")]
    public async Task A_compressed_tar_is_refused_with_the_next_step(string name)
    {
        await MadeAsync("tar", "-czf", name, "acme");
        var result = await AuditCommand.RunAsync(_folder.Path, "verify", name, "--allow-unsigned");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("gunzip", result.Output, StringComparison.Ordinal);
    }

    [NeedsFact("tar")]
    public async Task Seal_works_on_a_folder_and_says_so_of_an_archive()
    {
        await MadeAsync("tar", "-cf", "acme.tar", "acme");
        var result = await AuditCommand.RunAsync(_folder.Path, "seal", "acme.tar", "--sign", "key.pem");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("unpack it", result.Error, StringComparison.Ordinal);
    }

    /// <remarks>N09 of the tamper list. Root can read every file unless it drops the capability to do so.</remarks>
    [NeedsFact("setpriv")]
    public async Task A_file_that_cannot_be_read_leaves_the_answer_undecided()
    {
        var file = Path.Combine(_folder.Path, "acme", "data", "log.clef");
        await MadeAsync("chmod", "000", file);
        string[] wrapper = Environment.UserName == "root" ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
        string[] reading = [.. wrapper, "cat", file];
        Assert.NotEqual(0, (await AuditCommand.OtherAsync(_folder.Path, reading[0], reading[1..])).ExitCode);
        var result = await AuditCommand.ProcessAsync(
            _folder.Path, new Dictionary<string, string>(), wrapper, "verify", "acme", "--allow-unsigned", "--output", "json");
        Assert.Equal(3, result.ExitCode);
        var problem = JsonNode.Parse(result.Output)!["problems"]![0]!;
        Assert.Equal(("UNREADABLE", "data/log.clef", "undecided"), ((string?)problem["code"], (string?)problem["path"], (string?)problem["answer"]));
        // A folder that cannot be listed hides its files, so they count as missing, and verification fails.
        await MadeAsync("chmod", "600", file);
        await MadeAsync("chmod", "000", Path.GetDirectoryName(file)!);
        try
        {
            var hidden = await AuditCommand.ProcessAsync(_folder.Path, new Dictionary<string, string>(), wrapper, "verify", "acme", "--allow-unsigned");
            Assert.Contains("UNREADABLE data:", hidden.Output, StringComparison.Ordinal);
            Assert.NotEqual(0, hidden.ExitCode);
        }
        finally
        {
            await MadeAsync("chmod", "700", Path.GetDirectoryName(file)!);
        }
    }

    [Fact]
    public async Task A_revoked_key_fails_although_it_is_trusted()
    {
        Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "keys", "new", "key.pem", "--no-passphrase")).ExitCode);
        Directory.Delete(Path.Combine(_folder.Path, "acme"), recursive: true);
        await using (var bundle = BundleWriter.Create(_folder.Path, "acme"))
        {
            byte[] record =
            [
                .. """{"bundle_id":"acme","mode":"live","started":"2026-11-20T10:00:00Z","finished":"2026-11-20T10:05:00Z","period":"""u8,
                .. """{"start":"2026-09-01","end":"2026-11-15"},"tool":{"name":"AuditCli","version":"0.1.0"}}"""u8,
            ];
            await bundle.WriteFileAsync("data/run.json", record, default);
            await bundle.WriteFileAsync("data/results/results.json", """{"controls":[]}"""u8.ToArray(), default);
            await bundle.SealAsync(new("AuditCli tests", new(2026, 11, 20), null), default);
        }
        var signed = await AuditCommand.RunAsync(_folder.Path, "seal", "acme", "--sign", "key.pem");
        Assert.True(signed.ExitCode == 0, signed.ToString());
        Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "verify", "acme", "--trust", "key.pem.pub")).ExitCode);
        var result = await AuditCommand.RunAsync(_folder.Path, "verify", "acme", "--trust", "key.pem.pub", "--revoked", "key.pem.pub");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("SIG_KEY_REVOKED", result.Output, StringComparison.Ordinal);
        var wrong = await AuditCommand.RunAsync(_folder.Path, "verify", "acme", "--trust", "key.pem.pub", "--revoked", "no-such-file");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("--revoked no-such-file", wrong.Error, StringComparison.Ordinal);
    }

    private async Task MadeAsync(string program, params string[] arguments)
    {
        var result = await AuditCommand.OtherAsync(_folder.Path, program, arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
    }
}
