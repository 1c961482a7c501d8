using System.IO.Compression;
using System.Text.Json.Nodes;
using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Commands;

/// <summary>Seals bundles into archives. Every command gives the archive's answer as it gives the folder's.</summary>
public sealed class ArchiveCommandTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_with_archive_leaves_one_file_that_holds()
    {
        var run = await AuditCommand.RunAsync(
            _folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--control", "APD-AWS-004", "--out", "out", "--archive", "--output", "json");
        Assert.True(run.ExitCode is 0 or 2 or 3, run.ToString());
        var archive = (string)JsonNode.Parse(run.Output)!["bundle"]!;
        Assert.EndsWith(".tar", archive, StringComparison.Ordinal);
        Assert.Equal([archive], Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "out")));
        var verified = await AuditCommand.RunAsync(_folder.Path, "verify", archive, "--allow-unsigned");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    [Fact]
    public async Task Every_command_reads_a_signed_archive_as_it_reads_the_folder()
    {
        var folder = BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, "folder"));
        var packed = BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, "packed"));
        await OkAsync(0, "keys", "new", "auditor.pem", "--no-passphrase");
        await OkAsync(0, "seal", folder, "--sign", "auditor.pem");
        BundleForgery.CopyAttestation(folder, packed);
        Evidence.Bundles.BundleArchiver.Write(packed, default);
        Evidence.Bundles.BundleArchiver.RemoveFolder(packed);
        string[][] commands =
        [
            ["verify", "BUNDLE", "--trust", "auditor.pem.pub", "--output", "json"],
            ["show", "BUNDLE"],
            ["show", "BUNDLE", "APD-AWS-004", "--output", "json"],
            ["query", "BUNDLE", "SELECT item, verdict FROM results.items ORDER BY ALL", "--format", "csv"],
            ["report", "BUNDLE", "--trust", "auditor.pem.pub", "--format", "md"],
            ["diff", "BUNDLE", folder, "--trust", "auditor.pem.pub"],
            ["coverage", "BUNDLE", "--framework", "soc2-tsc"],
            ["reperform", "BUNDLE", "--trust", "auditor.pem.pub"],
        ];
        var zip = Path.Combine(_folder.Path, "compressed.zip");
        ZipFile.CreateFromDirectory(folder, zip, CompressionLevel.Fastest, includeBaseDirectory: true);
        foreach (var (command, archive) in commands.Select(c => (c, packed + ".tar")).Concat(commands.Where(c => c[0] != "reperform").Select(c => (c, zip))))
        {
            var (own, archived) = (await RunAsync(folder), await RunAsync(archive));
            Assert.True(own.ExitCode == archived.ExitCode && own.ExitCode != 1, $"{string.Join(' ', command)}\n{own}\n{archived}");
            Assert.Equal(own.Output, archived.Output.Replace(archive, folder, StringComparison.Ordinal));

            Task<CommandResult> RunAsync(string bundle) => AuditCommand.RunAsync(_folder.Path, [.. command.Select(w => w == "BUNDLE" ? bundle : w)]);
        }
        Assert.Equal([packed + ".tar"], Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "packed")));
    }

    [Fact]
    public async Task A_bundle_that_is_signed_into_an_archive_has_its_signature_in_it()
    {
        var bundle = BundleForgery.Copy(account.Bundle, _folder.Path);
        await OkAsync(0, "keys", "new", "auditor.pem", "--no-passphrase");
        var signed = await OkAsync(0, "seal", bundle, "--sign", "auditor.pem", "--archive");
        Assert.Contains($"bundle {bundle}.tar", signed.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(bundle));
        var verified = await OkAsync(0, "verify", bundle + ".tar", "--trust", "auditor.pem.pub");
        Assert.Contains("signature", verified.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_archive_that_is_there_already_is_kept_and_so_is_the_folder()
    {
        var bundle = BundleForgery.Copy(account.Bundle, _folder.Path);
        _folder.Write(Path.GetFileName(bundle) + ".tar", "mine");
        await OkAsync(0, "keys", "new", "auditor.pem", "--no-passphrase");
        var refused = await OkAsync(1, "seal", bundle, "--sign", "auditor.pem", "--archive");
        Assert.Contains("exists already", refused.Error, StringComparison.Ordinal);
        await OkAsync(0, "verify", bundle, "--trust", "auditor.pem.pub");
        Assert.Equal("mine", await File.ReadAllTextAsync(bundle + ".tar"));
    }

    [Theory]
    [InlineData("run", "engagement.yaml", "--sign", "auditor.pem", "--locker", "l", "--archive")]
    [InlineData("seal", "l/bundle", "--sign", "auditor.pem", "--locker", "l", "--archive")]
    public async Task A_locker_holds_folders_so_archive_is_refused_with_it(params string[] arguments) =>
        Assert.Contains("--archive and --locker exclude each other", (await OkAsync(1, arguments)).Error, StringComparison.Ordinal);

    [Fact]
    public async Task An_archive_that_was_cut_off_is_named_by_every_command()
    {
        var bundle = BundleForgery.Copy(account.Bundle, _folder.Path);
        var archive = Evidence.Bundles.BundleArchiver.Write(bundle, default);
        await using (var file = File.OpenWrite(archive))
            file.SetLength(file.Length / 1024 * 512);
        foreach (var command in new[] { "show", "query" })
        {
            var refused = await OkAsync(2, command, archive);
            Assert.Contains("cannot be read: the archive ", refused.Error, StringComparison.Ordinal);
            Assert.Empty(refused.Output);
        }
        Assert.Contains("CONTAINER_UNSAFE", (await OkAsync(2, "reperform", archive)).Output, StringComparison.Ordinal);
    }

    private async Task<CommandResult> OkAsync(int exitCode, params string[] arguments)
    {
        var result = await AuditCommand.RunAsync(_folder.Path, arguments);
        Assert.True(result.ExitCode == exitCode, result.ToString());
        return result;
    }
}
