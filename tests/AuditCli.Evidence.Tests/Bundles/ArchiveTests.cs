using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Attestation;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>Bundles in zip and tar files, read as they are: the same answers as for the folder, and nothing that could be read in two ways.</summary>
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
        foreach (var (file, pack) in new (string, Action<string>)[] { ("b.zip", f => ZipFile.CreateFromDirectory(row.Second, f, CompressionLevel.Fastest, true)), ("b.tar", f => TarFile.CreateFromDirectory(row.Second, f, true)) })
        {
            var path = Path.Combine(_folder.Path, file);
            pack(path);
            var (folder, archive) = (await BundleVerifier.VerifyAsync(row.Second, options, default), await BundleVerifier.VerifyAsync(path, options, default));
            Assert.Equal(VerifyAnswer.Holds, archive.Answer);
            Assert.Equal(folder.Lines.ToArray(), archive.Lines.ToArray());
            var stranger = await BundleVerifier.VerifyAsync(path, options with { Trust = AuditCli.Evidence.Attestation.SignerTrust.Nobody.With(row.Stranger.Fingerprint.Hex) }, default);
            Assert.Equal("SIG_UNTRUSTED_KEY", Assert.Single(stranger.Problems).Code);
        }
    }

    public static TheoryData<string> TamperNames => [.. TamperTests.Cases.Keys.Where(n => !n.StartsWith("F12", StringComparison.Ordinal) && !n.StartsWith("F13", StringComparison.Ordinal)
        && !n.StartsWith("F14", StringComparison.Ordinal) && !n.StartsWith("F21", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(TamperNames))]
    public async Task What_fails_in_a_folder_fails_in_an_archive_by_the_same_code(string name)
    {
        var bundle = (await Samples.SealAsync(Path.Combine(_folder.Path, "tampered"))).Path;
        var (code, tamper) = TamperTests.Cases[name];
        tamper(bundle);
        var (zip, tar) = (Path.Combine(_folder.Path, "t.zip"), Path.Combine(_folder.Path, "t.tar"));
        // Empty folders have no file that names them.
        var folders = Directory.GetDirectories(bundle, "*", SearchOption.AllDirectories).Where(f => !Directory.EnumerateFileSystemEntries(f).Any()).Select(f => $"acme-2026/{Path.GetRelativePath(bundle, f)}/").ToArray();
        File.WriteAllBytes(zip, ArchiveForgery.Zip([.. ArchiveForgery.Parts(bundle), .. folders.Select(Folder)]));
        File.WriteAllBytes(tar, ArchiveForgery.Tar(bundle, folders.Select(f => ArchiveForgery.TarPart(f, [], '5'))));
        foreach (var archive in new[] { zip, tar })
        {
            var report = await Samples.VerifyAsync(archive);
            Assert.Equal(VerifyAnswer.Fails, report.Answer);
            // Names that readers decode or keep differently are already refused as such.
            Assert.Contains(name[..3] is "F15" or "F17" ? "CONTAINER_UNSAFE" : code, report.Problems.Select(p => p.Code));
        }
    }

    /// <summary>Numbered as the project's tamper list numbers them: the zip's bytes, made from the honest parts.</summary>
    private static readonly Dictionary<string, (string Code, Func<List<ZipPart>, byte[]> Forge)> Zips = new(StringComparer.Ordinal)
    {
        ["Z01 parent"] = Added(new("acme-2026/../../evil", "x"u8.ToArray())),
        ["Z01 absolute"] = Added(new("/etc/passwd", "x"u8.ToArray())),
        ["Z01 drive"] = Added(new("C:/evil", "x"u8.ToArray())),
        ["Z01 here"] = Added(new("acme-2026/./evil", "x"u8.ToArray())),
        ["Z01 empty segment"] = Added(new("acme-2026//evil", "x"u8.ToArray())),
        ["Z01 no name"] = Added(new("", "x"u8.ToArray())),
        ["Z02 duplicate entry"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip([.. p, p[0] with { Content = "other"u8.ToArray() }])),
        ["Z02 duplicate folder"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip([Folder("acme-2026/data/"), .. p, Folder("acme-2026/data/")])),
        ["Z02 file and folder of one name"] = Added(new("acme-2026/data", "x"u8.ToArray())),
        ["Z02 file below a file"] = Added(new("acme-2026/bagit.txt/evil", "x"u8.ToArray())),
        ["Z03 case twin"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip([.. p, p[0] with { Name = p[0].Name.ToUpperInvariant() }])),
        ["Z03 case twin of a folder"] = Added(new("acme-2026/DATA/evil", "x"u8.ToArray())),
        ["Z04 backslash"] = Added(new("acme-2026\\..\\evil", "x"u8.ToArray())),
        ["Z05 symbolic link"] = Added(new("acme-2026/link", "/etc/passwd"u8.ToArray()) { Attributes = 0xA1FF0000 }),
        ["Z05 device"] = Added(new("acme-2026/device", []) { Attributes = 0x21B60000 }),
        ["Z05 pipe"] = Added(new("acme-2026/pipe", []) { Attributes = 0x11B60000 }),
        ["Z05 folder by its mode only"] = Added(new("acme-2026/folder", []) { Attributes = 0x41ED0000 }),
        ["Z05 folder by its attributes only"] = Added(new("acme-2026/folder", []) { Attributes = 0x10 }),
        ["Z05 folder with content"] = Added(new("acme-2026/folder/", "x"u8.ToArray()) { Attributes = 0x41ED0010 }),
        ["Z06 CRC lie"] = Changed(p => p with { Crc = 1 }),
        ["Z06 CRC lie, deflated"] = Changed(p => p with { Crc = 1, Deflated = true }),
        ["Z06 size lie"] = Changed(p => p with { Size = (uint)p.Content.Length + 1, Deflated = true }),
        ["Z06 size lie, less"] = Changed(p => p with { Size = (uint)p.Content.Length - 1, Deflated = true }),
        ["Z06 size lie, stored"] = Changed(p => p with { Size = (uint)p.Content.Length - 1 }),
        ["Z06 bytes behind the compressed content"] = Changed(p => p with { Data = [.. ArchiveForgery.Deflate(p.Content), 0], Method = 8 }),
        ["Z06 many bytes behind the compressed content"] = Changed(p => p with { Data = [.. ArchiveForgery.Deflate(p.Content), .. new byte[5000]], Method = 8 }),
        ["Z06 compressed content cut off"] = Changed(p => p with { Data = ArchiveForgery.Deflate(p.Content)[..^1], Method = 8 }),
        ["Z06 compressed content damaged"] = Changed(p => p with { Data = [0xFF, 0xFF, 0xFF], Method = 8 }),
        ["Z07 other name in the local header"] = Changed(p => p with { LocalName = "acme-2026/evil" }),
        ["Z07 other CRC in the local header"] = Changed(p => p with { LocalCrc = 1 }),
        ["Z07 other size in the local header"] = Changed(p => p with { LocalSize = 1 }),
        ["Z07 other method in the local header"] = Changed(p => p with { LocalMethod = 8 }),
        ["Z07 another place"] = Changed(p => p with { Offset = 5 }),
        ["Z07 one entry's bytes for two"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip([.. p, new("acme-2026/evil", p[0].Content) { Offset = 0 }])),
        ["Z07 another name in an extra field"] = Changed(p => p with { Extra = [0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, (byte)'e'] }),
        ["Z07 extra field cut off"] = Changed(p => p with { Extra = [0x55, 0x54, 9] }),
        ["Z07 descriptor that lies"] = Changed(p => p with { Flags = 8, Descriptor = [.. ArchiveForgery.U32(1), .. ArchiveForgery.U32(2), .. ArchiveForgery.U32(3)] }),
        ["Z07 descriptor that is not announced"] = Changed(p => p with { Descriptor = new byte[12] }),
        ["Z08 junk before the first entry"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p, prefix: "#!/bin/sh\n"u8.ToArray())),
        ["Z08 junk before the first entry, places not moved"] = ("CONTAINER_UNSAFE", p => [.. "#!/bin/sh\n"u8, .. ArchiveForgery.Zip(p)]),
        ["Z08 junk between entries"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p, between: [0])),
        ["Z08 junk before the list"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p, beforeList: "junk"u8.ToArray())),
        ["Z08 junk behind the end"] = ("CONTAINER_UNSAFE", p => [.. ArchiveForgery.Zip(p), 0]),
        ["Z08 comment"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p, comment: "hello")),
        ["Z08 another zip behind it"] = ("CONTAINER_UNSAFE", p => [.. ArchiveForgery.Zip(p), .. ArchiveForgery.Zip(p)]),
        ["Z08 cut off"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p)[..^1]),
        ["Z08 fewer entries than listed"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p, count: p.Count - 1)),
        ["Z08 more entries than listed"] = ("CONTAINER_UNSAFE", p => ArchiveForgery.Zip(p, count: p.Count + 1)),
        ["Z08 empty file"] = ("CONTAINER_UNSAFE", _ => []),
        ["Z09 ratio bomb"] = Added(new("acme-2026/data/bomb", new byte[32 * 1024 * 1024]) { Deflated = true }),
        ["Z09 ratio bomb that lies about its size"] = Changed(p => p with { Data = ArchiveForgery.Deflate(new byte[32 * 1024 * 1024]), Method = 8 }),
        ["Z10 encrypted"] = Changed(p => p with { Flags = 1 }),
        ["Z10 strongly encrypted"] = Changed(p => p with { Flags = 65 }),
        ["Z10 encrypted by an extra field"] = Changed(p => p with { Extra = [0x01, 0x99, 7, 0, 2, 0, 0x41, 0x45, 3, 0, 0] }),
        ["Z11 flag of the future"] = Changed(p => p with { Flags = 0x4000 }),
        ["Z11 method of the future"] = ("TYPE_UNSUPPORTED", p => ArchiveForgery.Zip([p[0] with { Method = 93 }, .. p.Skip(1)])),
        ["Z12 name that readers decode differently"] = Added(new("acme-2026/h\u00e9", [])),
        ["Z12 name that writes to a terminal"] = Added(new("acme-2026/\u001b[2K", [])),
        ["Z12 name too long"] = Added(new("acme-2026/" + new string('x', 1100), [])),
        ["N10 more entries than are looked at"] = ("LIMIT_EXCEEDED", p => ArchiveForgery.Zip(Enumerable.Range(0, 3000).Select(n => new ZipPart($"{n}", [])))),
    };

    private static readonly Dictionary<string, (string Code, Func<string, byte[]> Forge)> Tars = new(StringComparer.Ordinal)
    {
        ["Z01 parent"] = With(ArchiveForgery.TarPart("acme-2026/../../evil", [])),
        ["Z01 absolute"] = With(ArchiveForgery.TarPart("/etc/passwd", [])),
        ["Z01 parent by its prefix"] = With(ArchiveForgery.TarPart("evil", [], prefix: "acme-2026/..")),
        ["Z01 parent by its long name"] = With(ArchiveForgery.Pax(("path", "acme-2026/../evil")), ArchiveForgery.TarPart("acme-2026/../evil", [])),
        ["Z02 duplicate"] = With(ArchiveForgery.TarPart("acme-2026/bagit.txt", "x"u8.ToArray())),
        ["Z02 duplicate by another spelling"] = With(ArchiveForgery.TarPart("./acme-2026/bagit.txt", "x"u8.ToArray())),
        ["Z02 file and folder of one name"] = With(ArchiveForgery.TarPart("acme-2026/data", [])),
        ["Z03 case twin"] = With(ArchiveForgery.TarPart("acme-2026/BAGIT.txt", [])),
        ["Z04 backslash"] = With(ArchiveForgery.TarPart("acme-2026\\evil", [])),
        ["Z05 symbolic link"] = With(ArchiveForgery.TarPart("acme-2026/link", [], '2', "/etc/passwd")),
        ["Z05 hard link"] = With(ArchiveForgery.TarPart("acme-2026/link", [], '1', "acme-2026/bagit.txt")),
        ["Z05 character device"] = With(ArchiveForgery.TarPart("acme-2026/zero", [], '3')),
        ["Z05 block device"] = With(ArchiveForgery.TarPart("acme-2026/disk", [], '4')),
        ["Z05 pipe"] = With(ArchiveForgery.TarPart("acme-2026/pipe", [], '6')),
        ["Z05 file that links"] = With(ArchiveForgery.TarPart("acme-2026/link", [], '0', "/etc/passwd")),
        ["Z05 folder by its name only"] = With(ArchiveForgery.TarPart("acme-2026/evil/", [])),
        ["Z05 folder with content"] = With(ArchiveForgery.TarPart("acme-2026/evil/", "x"u8.ToArray(), '5')),
        ["Z05 contiguous file"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], '7')),
        ["Z07 other name for readers that know pax"] = With(ArchiveForgery.Pax(("path", "acme-2026/evil")), ArchiveForgery.TarPart("acme-2026/good", [])),
        ["Z07 other name for readers that know GNU's"] = With(ArchiveForgery.TarPart("././@LongLink", "acme-2026/evil\0"u8.ToArray(), 'L', gnu: true), ArchiveForgery.TarPart("acme-2026/good", [], gnu: true)),
        ["Z07 GNU's long name in a ustar header"] = With(ArchiveForgery.TarPart("././@LongLink", "acme-2026/evil\0"u8.ToArray(), 'L'), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 long name with bytes behind its end"] = With(ArchiveForgery.TarPart("././@LongLink", "acme-2026/evil\0x\0"u8.ToArray(), 'L', gnu: true), ArchiveForgery.TarPart("acme-2026/evil", [], gnu: true)),
        ["Z07 long name twice"] = With(ArchiveForgery.Pax(("path", "acme-2026/evil")), ArchiveForgery.Pax(("path", "acme-2026/evil")), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 long link"] = With(ArchiveForgery.TarPart("././@LongLink", "/etc/passwd\0"u8.ToArray(), 'K', gnu: true), ArchiveForgery.TarPart("acme-2026/evil", [], '2', gnu: true)),
        ["Z07 pax header for all that follow"] = ("CONTAINER_UNSAFE", b => [.. ArchiveForgery.TarPart("g", "20 path=acme-2026/x\n\n"u8.ToArray(), 'g'), .. ArchiveForgery.Tar(b)]),
        ["Z07 two sizes"] = With(ArchiveForgery.Pax(("size", "512")), ArchiveForgery.TarPart("acme-2026/evil", "x"u8.ToArray())),
        ["Z07 a key twice"] = With(ArchiveForgery.Pax(("mtime", "1"), ("mtime", "2")), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 a key that is not known"] = With(ArchiveForgery.Pax(("hdrcharset", "BINARY")), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 pax header that is not well-formed"] = With(ArchiveForgery.TarPart("x", "999 path=a\n"u8.ToArray(), 'x'), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 pax header and then the end"] = With(ArchiveForgery.Pax(("path", "acme-2026/evil"))),
        ["Z07 pax header larger than is read"] = With(ArchiveForgery.TarPart("x", new byte[70 * 1024], 'x'), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 name with bytes behind its end"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], edit: h => h[50] = (byte)'x')),
        ["Z07 sparse in GNU's form"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], 'S', gnu: true)),
        ["Z07 sparse in pax form"] = With(ArchiveForgery.Pax(("GNU.sparse.major", "1")), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 header of an incremental archive"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], gnu: true, edit: h => h[345] = (byte)'1')),
        ["Z07 checksum of another header"] = ("CONTAINER_UNSAFE", b => Edited(ArchiveForgery.Tar(b), 0)),
        ["Z07 header of no known form"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], edit: h => h.AsSpan(257, 8).Clear())),
        ["Z08 bytes behind the end"] = ("CONTAINER_UNSAFE", b => [.. ArchiveForgery.Tar(b), .. "junk"u8, .. new byte[508]]),
        ["Z08 another tar behind it"] = ("CONTAINER_UNSAFE", b => [.. ArchiveForgery.Tar(b), .. ArchiveForgery.Tar(b)]),
        ["Z08 part of a block behind the end"] = ("CONTAINER_UNSAFE", b => [.. ArchiveForgery.Tar(b), 0]),
        ["Z08 zeros without end"] = ("CONTAINER_UNSAFE", b => [.. ArchiveForgery.Tar(b), .. new byte[2 * 1024 * 1024]]),
        ["Z08 no end"] = ("CONTAINER_UNSAFE", b => ArchiveForgery.Tar(b)[..^1024]),
        ["Z08 half an end"] = ("CONTAINER_UNSAFE", b => ArchiveForgery.Tar(b)[..^512]),
        ["Z08 cut off inside a file"] = ("CONTAINER_UNSAFE", b => ArchiveForgery.Tar(b)[..1024]),
        ["Z08 bytes between files"] = ("CONTAINER_UNSAFE", b => Edited(ArchiveForgery.Tar(b), 1023)),
        ["Z08 empty file"] = ("CONTAINER_UNSAFE", _ => []),
        ["Z09 size beyond the file"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], size: 1L << 32)),
        ["Z09 size beyond all sizes"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], edit: h => h.AsSpan(124, 12).Fill(0xFF))),
        ["Z09 large size in GNU's form"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], edit: h => { h.AsSpan(124, 12).Fill(0xFF); h[124] = 0x80; })),
        ["Z09 small size in the form for large ones"] = With(ArchiveForgery.TarPart("acme-2026/evil", [], edit: h => { h.AsSpan(124, 12).Clear(); h[124] = 0x80; })),
        ["Z11 compressed as a whole"] = ("TYPE_UNSUPPORTED", _ => [0x1F, 0x8B, 8, 0]),
        ["Z12 name that readers decode differently"] = With(ArchiveForgery.TarPart("acme-2026/h\u00e9", [])),
        ["N10 more entries than are looked at"] = ("LIMIT_EXCEEDED", _ => [.. Enumerable.Range(0, 3000).SelectMany(n => ArchiveForgery.TarPart($"{n}", [])), .. new byte[1024]]),
    };

    public static TheoryData<string> ZipNames => [.. Zips.Keys];

    public static TheoryData<string> TarNames => [.. Tars.Keys];

    [Theory]
    [MemberData(nameof(ZipNames))]
    public async Task A_zip_that_could_be_read_in_two_ways_is_unsafe(string name)
    {
        var (code, forge) = Zips[name];
        await UnsafeAsync(code, _folder.Path + "/a.zip", forge(ArchiveForgery.Parts(_bundle)));
    }

    [Theory]
    [MemberData(nameof(TarNames))]
    public async Task A_tar_that_could_be_read_in_two_ways_is_unsafe(string name)
    {
        var (code, forge) = Tars[name];
        await UnsafeAsync(code, _folder.Path + (code == "TYPE_UNSUPPORTED" ? "/a.tgz" : "/a.tar"), forge(_bundle));
    }

    [Fact]
    public async Task The_forgers_tools_make_honest_archives_when_they_forge_nothing()
    {
        await SameReportAsync(Written("a.zip", ArchiveForgery.Zip(ArchiveForgery.Parts(_bundle))));
        await SameReportAsync(Written("b.zip", ArchiveForgery.Zip(ArchiveForgery.Parts(_bundle).Select(p => p with { Deflated = true }))));
        // The long name does not fit a header, so it stands in a pax header, and its beginning in the file's own.
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
                    _ => Edited(original, at, (byte)random.Next(1, 256)),
                });
                var report = await Samples.VerifyAsync(archive);
                // Times, owners and the like of an entry are no part of a bundle.
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
        var report = await Samples.VerifyAsync(Written("a.zip", ArchiveForgery.Zip(ArchiveForgery.Parts(_bundle).Select(p => p with { Name = p.Name.Replace("acme-2026/", "acme-2026.partial/", StringComparison.Ordinal) }))));
        Assert.Contains("NOT_SEALED", report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [Fact]
    public async Task Two_bundles_in_one_archive_are_no_bundle()
    {
        var parts = ArchiveForgery.Parts(_bundle);
        var report = await Samples.VerifyAsync(Written("a.zip", ArchiveForgery.Zip([.. parts, .. parts.Select(p => p with { Name = "other/" + p.Name["acme-2026/".Length..] })])));
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
        Assert.Equal(["a.tar", "a.tgz", "a.zip", "acme-2026"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Append("a.tar").Append("a.tgz").Append("a.zip").Distinct().Order(StringComparer.Ordinal));
    }

    private async Task SameReportAsync(string archive)
    {
        var (folder, found) = (await Samples.VerifyAsync(_bundle), await Samples.VerifyAsync(archive));
        Assert.True(found.Problems.IsEmpty, string.Join('\n', found.Problems));
        Assert.Equal(folder.Lines.ToArray(), found.Lines.ToArray());
        Assert.Equal((folder.BundleId, folder.Mode, folder.TagManifestSha256, VerifyAnswer.Holds), (found.BundleId, found.Mode, found.TagManifestSha256, found.Answer));
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

    private static byte[] Edited(byte[] content, int at, byte change = 1)
    {
        var edited = content.ToArray();
        edited[at] ^= change;
        return edited;
    }

    private static ZipPart Folder(string name) => new(name, []) { Attributes = 0x41ED0010 };

    private static (string, Func<List<ZipPart>, byte[]>) Added(ZipPart part) => ("CONTAINER_UNSAFE", parts => ArchiveForgery.Zip([.. parts, part]));

    private static (string, Func<List<ZipPart>, byte[]>) Changed(Func<ZipPart, ZipPart> change) => ("CONTAINER_UNSAFE", parts =>
        ArchiveForgery.Zip(parts.Select(p => p.Name.EndsWith("hr.csv", StringComparison.Ordinal) ? change(p) : p)));

    private static (string, Func<string, byte[]>) With(params byte[][] parts) => ("CONTAINER_UNSAFE", bundle => ArchiveForgery.Tar(bundle, parts));
}
