using System.Diagnostics;
using System.Formats.Tar;
using System.Text;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;
using OwnTarWriter = AuditCli.Evidence.Bundles.TarWriter;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>
/// Puts sealed bundles into archives. What comes out of an archive, by this program or another one, is the folder byte for byte.
/// </summary>
public sealed class BundleArchiverTests : IAsyncLifetime, IDisposable
{
    private static readonly string Long = $"data/inputs/{new string('x', 90)}/{new string('y', 90)}.csv";
    private readonly TemporaryFolder _folder = new();
    private string _bundle = "";

    public async Task InitializeAsync() => _bundle = (await SealAsync("first")).Path;

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_archive_holds_one_folder_in_ordinal_order_and_verifies_like_it()
    {
        var archive = BundleArchiver.Write(_bundle, default);
        Assert.Equal(_bundle + ".tar", archive);
        var (folder, packed) = (await Samples.VerifyAsync(_bundle), await Samples.VerifyAsync(archive));
        Assert.True(packed.Answer == VerifyAnswer.Holds, string.Join('\n', packed.Problems));
        Assert.Equal((folder.TagManifestSha256, folder.BundleId), (packed.TagManifestSha256, packed.BundleId));
        var entries = Entries(archive);
        Assert.Equal("acme-2026/", entries[0].Name);
        Assert.Equal(entries.Select(e => e.Name).Order(StringComparer.Ordinal), entries.Select(e => e.Name));
        Assert.All(entries, e =>
        {
            Assert.StartsWith("acme-2026/", e.Name, StringComparison.Ordinal);
            Assert.Equal((new DateTimeOffset(2026, 10, 1, 0, 0, 0, TimeSpan.Zero), 0, 0), (e.ModificationTime, e.Uid, e.Gid));
            Assert.Equal(e.EntryType == TarEntryType.Directory ? (UnixFileMode)0b111_000_000 : (UnixFileMode)0b110_000_000, e.Mode);
        });
    }

    [Fact]
    public async Task Equal_bundles_give_equal_archives_whenever_and_wherever_they_are_made()
    {
        var copy = Path.Combine(_folder.Path, "elsewhere", "acme-2026");
        Samples.Copy(_bundle, copy);
        foreach (var file in Directory.GetFiles(copy, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(
            await File.ReadAllBytesAsync(BundleArchiver.Write(_bundle, default)), await File.ReadAllBytesAsync(BundleArchiver.Write(copy, default)));
    }

    [NeedsTheory("tar", "python3")]
    [InlineData("tar", "-xf", "BUNDLE.tar", "-C", "OUT")]
    [InlineData("python3", "-c", "import tarfile; tarfile.open('BUNDLE.tar').extractall('OUT', filter='data')")]
    public async Task Other_programs_unpack_an_archive_to_the_same_bytes(string program, params string[] arguments)
    {
        BundleArchiver.Write(_bundle, default);
        var into = Directory.CreateDirectory(Path.Combine(_folder.Path, "out")).FullName;
        var unpacked = await OtherAsync(
            program,
            [.. arguments.Select(a => a.Replace("BUNDLE", _bundle, StringComparison.Ordinal).Replace("OUT", into, StringComparison.Ordinal))]);
        Assert.True(unpacked.ExitCode == 0, unpacked.Output);
        Assert.Empty(unpacked.Output);
        Same(_bundle, Path.Combine(into, "acme-2026"));
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(Path.Combine(into, "acme-2026"))).Answer);
    }

    [Fact]
    public void An_archive_of_an_archive_is_the_same_bytes()
    {
        var archive = BundleArchiver.Write(_bundle, default);
        using var again = new MemoryStream();
        BundleArchiver.Pack(archive, Digest.Of(File.ReadAllBytes(Path.Combine(_bundle, "tagmanifest-sha256.txt"))), again, default);
        Assert.Equal(File.ReadAllBytes(archive), again.ToArray());
    }

    [Fact]
    public void A_file_that_changed_after_the_seal_gives_no_archive()
    {
        File.AppendAllText(Path.Combine(_bundle, Long), "x");
        Assert.Contains(Long, Assert.Throws<InvalidDataException>(() => BundleArchiver.Write(_bundle, default)).Message, StringComparison.Ordinal);
        OnlyTheFolder();
    }

    [Fact]
    public void A_file_that_is_in_no_manifest_gives_no_archive()
    {
        File.WriteAllText(Path.Combine(_bundle, "data", "more.txt"), "x");
        var refused = Assert.Throws<InvalidDataException>(() => BundleArchiver.Write(_bundle, default));
        Assert.Contains("more than the files", refused.Message, StringComparison.Ordinal);
        OnlyTheFolder();
    }

    [Fact]
    public async Task An_interrupted_archive_is_no_bundle_and_the_folder_stays_whole()
    {
        using var interrupted = new CancellationTokenSource();
        await interrupted.CancelAsync();
        Assert.ThrowsAny<OperationCanceledException>(() => BundleArchiver.Write(_bundle, interrupted.Token));
        OnlyTheFolder();
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(_bundle)).Answer);
    }

    /// <summary>Leaves what a process leaves that is killed at some byte of the archive, at the end of a header as in the middle of a file.</summary>
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public async Task What_a_killed_process_left_is_no_bundle_and_is_written_anew(double part)
    {
        var archive = BundleArchiver.Write(_bundle, default);
        var whole = await File.ReadAllBytesAsync(archive);
        File.Delete(archive);
        var left = _bundle + BundleArchiver.UnfinishedSuffix;
        await File.WriteAllBytesAsync(left, whole[..((int)(whole.Length * part) / 512 * 512)]);
        Assert.Equal(VerifyAnswer.Fails, (await Samples.VerifyAsync(left)).Answer);
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(_bundle)).Answer);
        Assert.Equal(whole, await File.ReadAllBytesAsync(BundleArchiver.Write(_bundle, default)));
        Assert.False(File.Exists(left));
    }

    [Fact]
    public void An_archive_is_never_overwritten()
    {
        var archive = BundleArchiver.Write(_bundle, default);
        Assert.Contains("exists already", Assert.Throws<IOException>(() => BundleArchiver.Write(_bundle, default)).Message, StringComparison.Ordinal);
        BundleArchiver.RemoveFolder(_bundle);
        Assert.Equal([archive], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [NeedsFact("python3")]
    public async Task Names_of_every_length_are_read_back_by_this_program_and_by_another()
    {
        string[] names =
        [
            .. new[] { 10, 94, 95, 96, 97, 151, 152, 153, 196, 200, 250, 251, 252, 253, 300 }
                .SelectMany(n => new[] { n / 2, 95, 96, 97, 150, 151, 152, 3, -1 }.Where(s => s < n - 1).Select(s => (Length: n, Slash: s)))
                .Select((n, i) => $"top/{i:000}{Name(n.Length, n.Slash)[3..]}").Order(StringComparer.Ordinal),
        ];
        var archive = Path.Combine(_folder.Path, "names.tar");
        await using (var file = File.Create(archive))
        {
            var tar = new OwnTarWriter(file, DateTimeOffset.UnixEpoch);
            tar.WriteFolder("top/");
            foreach (var name in names)
                tar.WriteFile(name, name.Length, o => o.Write(Encoding.ASCII.GetBytes(name)));
            tar.End();
        }
        Assert.Equal(names, Entries(archive).Skip(1).Select(e => e.Name));
        var listed = await OtherAsync(
            "python3", "-c", $"import tarfile\nfor m in tarfile.open('{archive}').getmembers(): print(m.name)");
        Assert.Equal(["top", .. names], listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using var read = BundleArchive.Open(archive, 1000, default).Archive!;
        Assert.Equal(names.Select(n => n["top/".Length..]).Order(), read.Tree(1000, default).Files.Order());
        Assert.All(names, n => Assert.Equal(n, Encoding.ASCII.GetString(read.Read(n["top/".Length..], 1000)!)));

        static string Name(int length, int slash) =>
            new([.. Enumerable.Range(0, length).Select(i => i == slash ? '/' : (char)('a' + i % 26))]);
    }

    /// <summary>A size that the header cannot hold stands in an extended header. The content is a hole, so the file takes no room.</summary>
    [Fact]
    public void A_size_beyond_eleven_octal_digits_is_read_back()
    {
        const long Size = (1L << 33) + 7;
        var archive = Path.Combine(_folder.Path, "large.tar");
        using (var file = File.Create(archive))
        {
            var tar = new OwnTarWriter(file, DateTimeOffset.UnixEpoch);
            tar.WriteFolder("top/");
            tar.WriteFile("top/large", Size, o => o.Seek(Size, SeekOrigin.Current));
            tar.WriteFile("top/small", 1, o => o.Write("x"u8));
            tar.End();
        }
        Assert.Equal([("top/", 0L), ("top/large", Size), ("top/small", 1L)], Entries(archive).Select(e => (e.Name, e.Size)));
        using var read = BundleArchive.Open(archive, 1000, default).Archive!;
        Assert.Equal("x"u8.ToArray(), read.Read("small", 10));
        Assert.Null(read.Read("large", Size - 1));
    }

    private Task<SealedBundle> SealAsync(string content) => SealAsync(_folder.Path, content);

    private static async Task<SealedBundle> SealAsync(string folder, string content)
    {
        await using var bundle = BundleWriter.Create(folder, "acme-2026");
        await bundle.WriteFileAsync("data/run.json", "{\"mode\":\"replay\"}"u8.ToArray(), default);
        await bundle.WriteFileAsync(Long, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 3000).Select(n => $"{content} {n}\n"))), default);
        await bundle.WriteFileAsync("data/inputs/empty/empty.csv", ReadOnlyMemory<byte>.Empty, default);
        await bundle.WriteFileAsync("data/log.clef", new byte[512], default);
        await bundle.AppendEvidenceAsync(Samples.Item("prod", "aws-iam-listusers-0123456789ab"), default);
        return await bundle.SealAsync(Samples.Info, default);
    }

    private void OnlyTheFolder() => Assert.Equal([_bundle], Directory.EnumerateFileSystemEntries(_folder.Path));

    private static async Task<(int ExitCode, string Output)> OtherAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    private static List<Entry> Entries(string archive)
    {
        using var tar = new TarReader(File.OpenRead(archive));
        var entries = new List<Entry>();
        while (tar.GetNextEntry() is { } e)
            entries.Add(new(e.Name, e.Length, e.EntryType, e.Mode, e.ModificationTime, e.Uid, e.Gid));
        return entries;
    }

    private sealed record Entry(
        string Name, long Size, TarEntryType EntryType, UnixFileMode Mode, DateTimeOffset ModificationTime, int Uid, int Gid);

    private static void Same(string folder, string other)
    {
        string[] Files(string root) =>
            [.. Directory.GetFiles(root, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(root, f)).Order(StringComparer.Ordinal)];
        Assert.Equal(Files(folder), Files(other));
        Assert.All(Files(folder), f => Assert.Equal(File.ReadAllBytes(Path.Combine(folder, f)), File.ReadAllBytes(Path.Combine(other, f))));
    }
}
