using System.Diagnostics;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Attestation;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

public sealed class BundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("acme-2026")]
    [InlineData("acme-2026.partial")]
    public void A_bundle_that_exists_is_not_begun_again(string taken)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, taken));
        var error = Assert.Throws<IOException>(() => BundleWriter.Create(_folder.Path, "Acme-2026"));
        Assert.Contains(Path.Combine(_folder.Path, taken), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_named_with_the_cause()
    {
        var file = _folder.Write("out", "a file");
        var error = Assert.Throws<IOException>(() => BundleWriter.Create(file, "acme"));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("é")]
    [InlineData("con")]
    [InlineData("end.")]
    public void What_cannot_name_a_file_everywhere_is_no_segment(string id) =>
        Assert.Throws<ArgumentException>(() => BundlePaths.Segment(id));

    [Theory]
    [InlineData("bagit.txt")]
    [InlineData("data")]
    [InlineData("data/../x")]
    [InlineData("/data/x")]
    [InlineData("data/X")]
    [InlineData("data//x")]
    public async Task Only_files_of_the_payload_are_written(string path)
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme");
        await Assert.ThrowsAsync<ArgumentException>(() => bundle.WriteFileAsync(path, default, default));
    }

    [Fact]
    public async Task A_file_that_is_still_open_prevents_sealing_and_the_folder_stays_partial()
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme");
        await using (var open = bundle.OpenFile("data/log.clef"))
        {
            open.Write("{}"u8);
            await Assert.ThrowsAsync<IOException>(() => bundle.SealAsync(Samples.Info, default));
            Assert.Equal([Path.Combine(_folder.Path, "acme.partial")], Directory.GetFileSystemEntries(_folder.Path));
        }
        var report = await Samples.VerifyAsync(bundle.PartialFolder);
        Assert.Contains("NOT_SEALED", report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync((await bundle.SealAsync(Samples.Info, default)).Path)).Answer);
    }

    [Fact]
    public async Task A_complete_bag_that_was_never_renamed_does_not_verify()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        Directory.Move(bundle.Path, bundle.Path + ".partial");
        Assert.Equal(VerifyAnswer.Fails, (await Samples.VerifyAsync(bundle.Path + ".partial")).Answer);
    }

    [Fact]
    public async Task What_a_bundle_may_not_hold_prevents_sealing()
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme");
        Directory.CreateDirectory(Path.Combine(bundle.PartialFolder, "data", "empty"));
        await Assert.ThrowsAsync<InvalidDataException>(() => bundle.SealAsync(Samples.Info, default));
        Directory.Delete(Path.Combine(bundle.PartialFolder, "data", "empty"));
        File.CreateSymbolicLink(Path.Combine(bundle.PartialFolder, "data", "link"), "/etc/passwd");
        await Assert.ThrowsAsync<InvalidDataException>(() => bundle.SealAsync(Samples.Info, default));
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "acme")));
    }

    [Fact]
    public async Task A_cancelled_seal_leaves_the_partial_folder_alone()
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bundle.SealAsync(Samples.Info, new(canceled: true)));
        Assert.Equal([bundle.PartialFolder], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_sealed_bundle_holds_and_says_what_was_not_asked()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        var report = await Samples.VerifyAsync(bundle.Path);
        Assert.Empty(report.Problems);
        Assert.Equal(
            ["files Holds", "manifest Holds", "signature NotChecked", "key trust NotChecked", "time NotChecked", "chain NotChecked", "totals Holds"],
            report.Lines.Select(l => $"{l.Question} {l.Answer}"));
        Assert.Equal(
            ("acme-2026", "replay", bundle.TagManifestSha256, VerifyAnswer.Holds),
            (report.BundleId, report.Mode, report.TagManifestSha256, report.Answer));
    }

    [Fact]
    public async Task An_unsigned_bundle_is_undecided_unless_that_is_allowed()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        var report = await BundleVerifier.VerifyAsync(bundle.Path, new(AllowUnsigned: false), default);
        Assert.Equal((VerifyAnswer.Undecided, "UNSIGNED"), (report.Answer, report.Problems.Single().Code));
    }

    [Fact]
    public async Task A_signature_without_what_belongs_to_it_never_holds()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        Directory.CreateDirectory(Path.Combine(bundle.Path, "attestation"));
        File.WriteAllText(Path.Combine(bundle.Path, "attestation", "statement.sig"), "x");
        var report = await Samples.VerifyAsync(bundle.Path);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        Assert.Equal(3, report.Problems.Count(p => p.Code == "MISSING_FILE"));
    }

    [Fact]
    public async Task A_bundle_reached_through_a_link_an_archive_and_nothing_are_told_apart()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        var link = Path.Combine(_folder.Path, "link");
        Directory.CreateSymbolicLink(link, bundle.Path);
        Assert.Equal("SPECIAL_FILE", (await Samples.VerifyAsync(link)).Problems.Single().Code);
        Assert.Equal("SPECIAL_FILE", (await Samples.VerifyAsync(link + "/")).Problems.Single().Code);
        Assert.Equal("TYPE_UNSUPPORTED", (await Samples.VerifyAsync(_folder.Write("bundle.txt", "a bundle"))).Problems.Single().Code);
        Assert.Equal("CONTAINER_UNSAFE", (await Samples.VerifyAsync(_folder.Write("bundle.zip", "PK"))).Problems.Single().Code);
        File.CreateSymbolicLink(link + ".zip", Path.Combine(_folder.Path, "bundle.zip"));
        Assert.Equal("SPECIAL_FILE", (await Samples.VerifyAsync(link + ".zip")).Problems.Single().Code);
        PosixFiles.MakePipe(Path.Combine(_folder.Path, "pipe.zip"));
        Assert.Equal("SPECIAL_FILE", (await Samples.VerifyAsync(Path.Combine(_folder.Path, "pipe.zip"))).Problems.Single().Code);
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => Samples.VerifyAsync(Path.Combine(_folder.Path, "none")));
    }

    [Fact]
    public async Task Limits_are_told_and_problems_are_counted_beyond_the_list()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        var small = new VerifyOptions(AllowUnsigned: true) { MaxManifestBytes = 10 };
        Assert.Contains("LIMIT_EXCEEDED", (await BundleVerifier.VerifyAsync(bundle.Path, small, default)).Problems.Select(p => p.Code));
        var few = new VerifyOptions(AllowUnsigned: true) { MaxEntries = 5 };
        Assert.Contains("LIMIT_EXCEEDED", (await BundleVerifier.VerifyAsync(bundle.Path, few, default)).Problems.Select(p => p.Code));
        for (var n = 0; n < 20; n++)
            File.WriteAllText(Path.Combine(bundle.Path, "data", $"x{n}"), "");
        var report = await BundleVerifier.VerifyAsync(bundle.Path, new(AllowUnsigned: true) { MaxProblems = 7 }, default);
        Assert.Equal((7, 20L), (report.Problems.Length, report.ProblemCount));
    }

    [Fact]
    public async Task What_a_file_becomes_after_it_was_read_is_no_part_of_the_answer()
    {
        using var key = SigningKey.Create();
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", new(key, null, null, [], (_, _, _) => throw new IOException("nobody is asked")));
        var options = new VerifyOptions(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.PublicPem) };
        var still = await BundleVerifier.VerifyAsync(bundle, options, default);
        Assert.Equal((VerifyAnswer.Holds, "live"), (still.Answer, still.Mode));
        // Overwrites each file after it was read, so that reading a file twice, or before hashing it, is detected.
        using var changing = new ChangingFolder(bundle);
        var report = BundleVerifier.Verify(changing, options, default);
        Assert.True(report.Problems.IsEmpty, string.Join('\n', report.Problems));
        Assert.Equal(still.Lines.ToArray(), report.Lines.ToArray());
        Assert.Equal("live", report.Mode);
        Assert.Equal(VerifyAnswer.Fails, (await BundleVerifier.VerifyAsync(bundle, options, default)).Answer);
    }

    [Fact]
    public void A_file_that_holds_more_than_it_said_changed_meanwhile()
    {
        if (!OperatingSystem.IsLinux())
            return;
        // The kernel reports a size of 0 bytes but returns more, as with a file that somebody appends to.
        Assert.Throws<ChangedFileException>(() => SafeFile.Hash("/proc/version", default));
        Assert.Throws<ChangedFileException>(() => SafeFile.Read("/proc/version", 1000));
    }

    [Fact]
    public async Task Names_cannot_write_to_a_terminal()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        File.WriteAllText(Path.Combine(bundle.Path, "data", "\u001b[2K\u202eok"), "");
        var problem = (await Samples.VerifyAsync(bundle.Path)).Problems.Single();
        Assert.Equal(("UNEXPECTED_FILE", @"data/\u001b[2K\u202eok"), (problem.Code, problem.Path));
    }

    [Fact]
    public async Task A_pipe_in_the_attestation_fails()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        Directory.CreateDirectory(Path.Combine(bundle.Path, "attestation"));
        PosixFiles.MakePipe(Path.Combine(bundle.Path, "attestation", "statement.sig"));
        var report = await Samples.VerifyAsync(bundle.Path);
        Assert.Equal((VerifyAnswer.Fails, "SPECIAL_FILE"), (report.Answer, report.Problems[0].Code));
    }

    [NeedsFact("sha256sum")]
    public async Task Coreutils_agree()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        Assert.Equal(0, await Sha256SumAsync(bundle.Path));
        File.AppendAllText(Path.Combine(bundle.Path, "data", "run.json"), " ");
        Assert.NotEqual(0, await Sha256SumAsync(bundle.Path));
    }

    [Fact]
    public async Task The_bag_says_what_it_is_and_how_long_it_is_kept()
    {
        var bundle = await Samples.SealAsync(_folder.Path);
        var bytes = Directory.GetFiles(Path.Combine(bundle.Path, "data"), "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);
        Assert.Equal(
            $"Bag-Software-Agent: AuditCli 0.1.0\nBagging-Date: 2026-10-01\nExternal-Identifier: acme-2026\nPayload-Oxum: {bytes}.6\n"
                + "retain_until: 2033-10-01\n",
            File.ReadAllText(Path.Combine(bundle.Path, "bag-info.txt")));
        Assert.Equal(Digest.Of(File.ReadAllBytes(Path.Combine(bundle.Path, "tagmanifest-sha256.txt"))), bundle.TagManifestSha256);
    }

    [Fact]
    public async Task Evidence_in_any_order_gives_one_index()
    {
        EvidenceItem[] items = [.. from t in new[] { "b", "a", "" } from n in new[] { 2, 10, 1 } select Samples.Item(t, $"aws-{n}")];
        var one = await Samples.SealAsync(_folder.Path, "one", items);
        var two = await Samples.SealAsync(_folder.Path, "two", items.Reverse());
        var index = File.ReadAllText(Path.Combine(one.Path, BundleLayout.EvidenceIndex));
        Assert.Equal(index, File.ReadAllText(Path.Combine(two.Path, BundleLayout.EvidenceIndex)));
        Assert.Equal(
            items.OrderBy(i => i.Target, StringComparer.Ordinal).ThenBy(i => i.EvidenceId, StringComparer.Ordinal).Select(i => (i.Target, i.EvidenceId)),
            EvidenceIndex.Read(one.Path).Select(i => (i.Target, i.EvidenceId)));
    }

    [Fact]
    public async Task Every_line_of_the_index_is_in_the_file_at_once_and_whole()
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme");
        var index = Path.Combine(bundle.PartialFolder, BundleLayout.EvidenceIndex);
        await bundle.AppendEvidenceAsync(Samples.Item("a", "aws-0"), default);
        Assert.True(new FileInfo(index).Length > 0);
        await Parallel.ForAsync(1, 100, async (n, ct) => await bundle.AppendEvidenceAsync(Samples.Item("a", $"aws-{n}"), ct));
        var path = (await bundle.SealAsync(Samples.Info, default)).Path;
        Assert.Equal(100, EvidenceIndex.Read(path).Length);
    }

    private static async Task<int> Sha256SumAsync(string bundle)
    {
        using var process = Process.Start(new ProcessStartInfo("sha256sum", ["-c", "--strict", "--quiet", "tagmanifest-sha256.txt", "manifest-sha256.txt"])
        {
            WorkingDirectory = bundle,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync(), process.WaitForExitAsync());
        return process.ExitCode;
    }

    /// <summary>A folder whose files are overwritten right after they were read.</summary>
    private sealed class ChangingFolder(string root) : BundleFiles
    {
        private readonly BundleFolder _folder = new(root);

        public override string Name => _folder.Name;

        public override BundleTree Tree(int limit, CancellationToken cancellationToken) => _folder.Tree(limit, cancellationToken);

        public override (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken) =>
            Changed(path, _folder.Hash(path, cancellationToken));

        public override byte[]? Read(string path, long limit) => Changed(path, _folder.Read(path, limit));

        public override Stream Open(string path) => Changed(path, new MemoryStream(_folder.Read(path, long.MaxValue)!));

        public override bool IsSpecial(string path) => _folder.IsSpecial(path);

        public override void Dispose() => _folder.Dispose();

        private T Changed<T>(string path, T read)
        {
            File.WriteAllText(Path.Combine(root, path), "{\"mode\":\"replay\"}");
            return read;
        }
    }
}
