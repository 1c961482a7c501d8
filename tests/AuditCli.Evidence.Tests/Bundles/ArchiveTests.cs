using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Attestation;
using AuditCli.Evidence.Tests.Verification;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>
/// Verifies bundles in zip and tar files without unpacking them. The report is that of the folder, and an archive that could be read in two
/// ways is refused.
/// </summary>
public sealed class ArchiveTests : IAsyncLifetime, IDisposable
{
    private static readonly string Long = $"data/inputs/{new string('x', 60)}/{new string('y', 90)}.csv";
    private readonly TemporaryFolder _folder = new();
    private string _bundle = "";

    public async Task InitializeAsync()
    {
        await using var bundle = BundleWriter.Create(_folder.Path, "acme-2026");
        await bundle.WriteFileAsync("data/run.json", "{\"mode\":\"replay\"}"u8.ToArray(), default);
        await bundle.WriteFileAsync(Long, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 3000).Select(n => $"{n}\n"))), default);
        await bundle.WriteFileAsync("data/inputs/hr/hr.csv", "id\n1\n"u8.ToArray(), default);
        await bundle.WriteFileAsync("data/log.clef", "{}\n"u8.ToArray(), default);
        await bundle.AppendEvidenceAsync(Samples.Item("prod", "aws-iam-listusers-0123456789ab"), default);
        _bundle = (await bundle.SealAsync(Samples.Info, default)).Path;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [NeedsTheory("sh", "zip")]
    [InlineData("a.zip", "zip -qr {0} acme-2026")]
    [InlineData("a.zip", "zip -qr -D {0} acme-2026")]
    [InlineData("a.zip", "zip -qr -0 {0} acme-2026")]
    [InlineData("a.zip", "zip -qr -fz {0} acme-2026")]
    [InlineData("a.zip", "zip -qr - acme-2026 | cat > {0}")]
    [InlineData("a.zip", "cd acme-2026 && zip -qr ../{0} .")]
    [InlineData("evidence", "zip -qr x.zip acme-2026 && mv x.zip {0}")]
    public Task An_honest_archive_of_zip_gives_the_folders_report(string name, string command) => SameReportOfAsync(name, command);

    [NeedsTheory("sh", "tar")]
    [InlineData("a.tar", "tar -cf {0} acme-2026")]
    [InlineData("a.tar", "tar -cf {0} ./acme-2026")]
    [InlineData("a.tar", "tar -C acme-2026 -cf {0} .")]
    [InlineData("a.tar", "tar --format=pax -cf {0} acme-2026")]
    [InlineData("a.tar", "tar --format=ustar -cf {0} acme-2026")]
    [InlineData("a.tar", "tar --xattrs --format=pax -b 64 -cf {0} acme-2026")]
    [InlineData("evidence", "tar -cf {0} acme-2026")]
    public Task An_honest_archive_of_tar_gives_the_folders_report(string name, string command) => SameReportOfAsync(name, command);

    [NeedsTheory("sh", "python3")]
    [InlineData("a.zip", "python3 -m zipfile -c {0} acme-2026")]
    [InlineData("a.tar", "python3 -m tarfile -c {0} acme-2026")]
    public Task An_honest_archive_of_Python_gives_the_folders_report(string name, string command) => SameReportOfAsync(name, command);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_honest_archive_made_by_the_runtime_gives_the_folders_report(bool topFolder)
    {
        var (zip, tar) = (Path.Combine(_folder.Path, "a.zip"), Path.Combine(_folder.Path, "a.tar"));
        ZipFile.CreateFromDirectory(_bundle, zip, CompressionLevel.SmallestSize, topFolder);
        TarFile.CreateFromDirectory(_bundle, tar, topFolder);
        await SameReportAsync(zip);
        await SameReportAsync(tar);
    }

    [NeedsFact("openssl")]
    public async Task A_signed_bundle_in_an_archive_answers_every_question()
    {
        using var row = new SignedRow();
        await row.InitializeAsync();
        var options = row.Options with { Challenge = SignedRow.Challenge };
        foreach (var (file, pack) in new (string, Action<string>)[]
        {
            ("b.zip", f => ZipFile.CreateFromDirectory(row.Second, f, CompressionLevel.Fastest, true)),
            ("b.tar", f => TarFile.CreateFromDirectory(row.Second, f, true)),
        })
        {
            var path = Path.Combine(_folder.Path, file);
            pack(path);
            var (folder, archive) = (await BundleVerifier.VerifyAsync(row.Second, options, default), await BundleVerifier.VerifyAsync(path, options, default));
            Assert.Equal(VerifyAnswer.Holds, archive.Answer);
            Assert.Equal(folder.Lines.ToArray(), archive.Lines.ToArray());
            var stranger = await BundleVerifier.VerifyAsync(
                path, options with { Trust = AuditCli.Evidence.Attestation.SignerTrust.Nobody.With(row.Stranger.Fingerprint.Hex) }, default);
            Assert.Equal("SIG_UNTRUSTED_KEY", Assert.Single(stranger.Problems).Code);
        }
    }

    public static TheoryData<string> TamperNames =>
        [.. TamperTests.Cases.Keys.Where(n => !n.StartsWith("F12", StringComparison.Ordinal) && !n.StartsWith("F13", StringComparison.Ordinal)
            && !n.StartsWith("F14", StringComparison.Ordinal) && !n.StartsWith("F21", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(TamperNames))]
    public async Task What_fails_in_a_folder_fails_in_an_archive_by_the_same_code(string name)
    {
        var bundle = (await Samples.SealAsync(Path.Combine(_folder.Path, "tampered"))).Path;
        var (code, tamper) = TamperTests.Cases[name];
        tamper(bundle);
        var (zip, tar) = (Path.Combine(_folder.Path, "t.zip"), Path.Combine(_folder.Path, "t.tar"));
        // No file path implies an empty folder, so these get entries of their own.
        var folders = Directory.GetDirectories(bundle, "*", SearchOption.AllDirectories)
            .Where(f => !Directory.EnumerateFileSystemEntries(f).Any())
            .Select(f => $"acme-2026/{Path.GetRelativePath(bundle, f)}/").ToArray();
        File.WriteAllBytes(zip, ArchiveForgery.Zip([.. ArchiveForgery.Parts(bundle), .. folders.Select(ForgedArchives.Folder)]));
        File.WriteAllBytes(tar, ArchiveForgery.Tar(bundle, folders.Select(f => ArchiveForgery.TarPart(f, [], '5'))));
        foreach (var archive in new[] { zip, tar })
        {
            var report = await Samples.VerifyAsync(archive);
            Assert.Equal(VerifyAnswer.Fails, report.Answer);
            // Names that some readers decode or store differently are refused earlier, with this code.
            Assert.Contains(name[..3] is "F15" or "F17" ? "CONTAINER_UNSAFE" : code, report.Problems.Select(p => p.Code));
        }
    }

    public static TheoryData<string> ZipNames => [.. ForgedArchives.Zips.Keys];

    public static TheoryData<string> TarNames => [.. ForgedArchives.Tars.Keys];

    [Theory]
    [MemberData(nameof(ZipNames))]
    public async Task A_zip_that_could_be_read_in_two_ways_is_unsafe(string name)
    {
        var (code, forge) = ForgedArchives.Zips[name];
        await UnsafeAsync(code, _folder.Path + "/a.zip", forge(ArchiveForgery.Parts(_bundle)));
    }

    [Theory]
    [MemberData(nameof(TarNames))]
    public async Task A_tar_that_could_be_read_in_two_ways_is_unsafe(string name)
    {
        var (code, forge) = ForgedArchives.Tars[name];
        await UnsafeAsync(code, _folder.Path + (code == "TYPE_UNSUPPORTED" ? "/a.tgz" : "/a.tar"), forge(_bundle));
    }

    [Fact]
    public async Task The_forgers_tools_make_honest_archives_when_they_forge_nothing()
    {
        await SameReportAsync(Written("a.zip", ArchiveForgery.Zip(ArchiveForgery.Parts(_bundle))));
        await SameReportAsync(Written("b.zip", ArchiveForgery.Zip(ArchiveForgery.Parts(_bundle).Select(p => p with { Deflated = true }))));
        // A long name does not fit into a header, so a pax header holds it, and the file's own header its beginning.
        byte[] parts = [.. ArchiveForgery.Parts(_bundle).SelectMany(p => p.Name.Length <= 100
            ? ArchiveForgery.TarPart(p.Name, p.Content)
            : [.. ArchiveForgery.Pax(("path", p.Name)), .. ArchiveForgery.TarPart(p.Name[..100], p.Content)])];
        await SameReportAsync(Written("a.tar", [.. parts, .. new byte[1024]]));
    }

    [Fact]
    public async Task Any_changed_byte_of_an_archive_gives_the_same_report_or_fails()
    {
        var random = new Random(11);
        var (zip, tar) = (Path.Combine(_folder.Path, "a.zip"), Path.Combine(_folder.Path, "a.tar"));
        ZipFile.CreateFromDirectory(_bundle, zip, CompressionLevel.Optimal, includeBaseDirectory: true);
        TarFile.CreateFromDirectory(_bundle, tar, includeBaseDirectory: true);
        var honest = await Samples.VerifyAsync(_bundle);
        foreach (var archive in new[] { zip, tar })
        {
            var original = File.ReadAllBytes(archive);
            var failed = 0;
            for (var round = 0; round < 600; round++)
            {
                var at = random.Next(original.Length);
                File.WriteAllBytes(archive, random.Next(4) switch
                {
                    0 => [.. original[..at], .. original[(at + 1)..]],
                    1 => [.. original[..at], (byte)random.Next(256), .. original[at..]],
                    _ => ForgedArchives.Edited(original, at, (byte)random.Next(1, 256)),
                });
                var report = await Samples.VerifyAsync(archive);
                // The time, owner and similar fields of an entry are not part of a bundle, so a change there goes unnoticed.
                if (report.Answer == VerifyAnswer.Holds)
                    Assert.Equal(honest.Lines.ToArray(), report.Lines.ToArray());
                else
                    Assert.Equal(VerifyAnswer.Fails, report.Answer);
                failed += report.Answer == VerifyAnswer.Holds ? 0 : 1;
            }
            Assert.InRange(failed, 300, 600);
        }
    }

    [Fact]
    public async Task A_partial_bundle_in_an_archive_was_never_sealed()
    {
        var parts = ArchiveForgery.Parts(_bundle)
            .Select(p => p with { Name = p.Name.Replace("acme-2026/", "acme-2026.partial/", StringComparison.Ordinal) });
        var report = await Samples.VerifyAsync(Written("a.zip", ArchiveForgery.Zip(parts)));
        Assert.Contains("NOT_SEALED", report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [Fact]
    public async Task Two_bundles_in_one_archive_are_no_bundle()
    {
        var parts = ArchiveForgery.Parts(_bundle);
        var report = await Samples.VerifyAsync(
            Written("a.zip", ArchiveForgery.Zip([.. parts, .. parts.Select(p => p with { Name = "other/" + p.Name["acme-2026/".Length..] })])));
        var problem = Assert.Single(report.Problems);
        Assert.Equal("TYPE_UNSUPPORTED", problem.Code);
        Assert.Contains("is one of 2 bundles in the archive", problem.Message, StringComparison.Ordinal);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [Fact]
    public async Task A_list_of_entries_that_claims_millions_is_refused_before_it_is_read()
    {
        var zip = ArchiveForgery.Zip(ArchiveForgery.Parts(_bundle), count: 0xFFFE);
        var watch = Stopwatch.StartNew();
        await UnsafeAsync("CONTAINER_UNSAFE", _folder.Path + "/a.zip", zip);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    private async Task UnsafeAsync(string code, string path, byte[] content)
    {
        File.WriteAllBytes(path, content);
        var verifying = BundleVerifier.VerifyAsync(path, new(AllowUnsigned: true) { MaxEntries = 1000 }, default);
        Assert.Same(verifying, await Task.WhenAny(verifying, Task.Delay(TimeSpan.FromSeconds(60))));
        var report = await verifying;
        Assert.Contains(code, report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        Assert.Equal(
            ["a.tar", "a.tgz", "a.zip", "acme-2026"],
            Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Append("a.tar").Append("a.tgz").Append("a.zip").Distinct()
                .Order(StringComparer.Ordinal));
    }

    private async Task SameReportAsync(string archive)
    {
        var (folder, found) = (await Samples.VerifyAsync(_bundle), await Samples.VerifyAsync(archive));
        Assert.True(found.Problems.IsEmpty, string.Join('\n', found.Problems));
        Assert.Equal(folder.Lines.ToArray(), found.Lines.ToArray());
        Assert.Equal(
            (folder.BundleId, folder.Mode, folder.TagManifestSha256, VerifyAnswer.Holds),
            (found.BundleId, found.Mode, found.TagManifestSha256, found.Answer));
    }

    private async Task SameReportOfAsync(string name, string command)
    {
        Shell(command.Replace("{0}", name, StringComparison.Ordinal));
        await SameReportAsync(Path.Combine(_folder.Path, name));
    }

    private string Written(string name, byte[] content)
    {
        var path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private void Shell(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { WorkingDirectory = _folder.Path })!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }
}
