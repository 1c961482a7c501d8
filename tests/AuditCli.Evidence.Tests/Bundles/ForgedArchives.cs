namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>
/// Zip and tar files that could be read in two ways or not at all, numbered as in the project's tamper list, and the result of
/// verification.
/// </summary>
internal static class ForgedArchives
{
    /// <summary>Builds the bytes of a zip file from the parts of a valid one.</summary>
    internal static readonly Dictionary<string, (string Code, Func<List<ZipPart>, byte[]> Forge)> Zips = new(StringComparer.Ordinal)
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
        ["Z06 many bytes behind the compressed content"] = Changed(
            p => p with { Data = [.. ArchiveForgery.Deflate(p.Content), .. new byte[5000]], Method = 8 }),
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
        ["Z07 descriptor that lies"] = Changed(
            p => p with { Flags = 8, Descriptor = [.. ArchiveForgery.U32(1), .. ArchiveForgery.U32(2), .. ArchiveForgery.U32(3)] }),
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

    internal static readonly Dictionary<string, (string Code, Func<string, byte[]> Forge)> Tars = new(StringComparer.Ordinal)
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
        ["Z07 other name for readers that know GNU's"] = With(
            ArchiveForgery.TarPart("././@LongLink", "acme-2026/evil\0"u8.ToArray(), 'L', gnu: true),
            ArchiveForgery.TarPart("acme-2026/good", [], gnu: true)),
        ["Z07 GNU's long name in a ustar header"] = With(
            ArchiveForgery.TarPart("././@LongLink", "acme-2026/evil\0"u8.ToArray(), 'L'), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 long name with bytes behind its end"] = With(
            ArchiveForgery.TarPart("././@LongLink", "acme-2026/evil\0x\0"u8.ToArray(), 'L', gnu: true),
            ArchiveForgery.TarPart("acme-2026/evil", [], gnu: true)),
        ["Z07 long name twice"] = With(
            ArchiveForgery.Pax(("path", "acme-2026/evil")),
            ArchiveForgery.Pax(("path", "acme-2026/evil")),
            ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 long link"] = With(
            ArchiveForgery.TarPart("././@LongLink", "/etc/passwd\0"u8.ToArray(), 'K', gnu: true),
            ArchiveForgery.TarPart("acme-2026/evil", [], '2', gnu: true)),
        ["Z07 pax header for all that follow"] = (
            "CONTAINER_UNSAFE", b => [.. ArchiveForgery.TarPart("g", "20 path=acme-2026/x\n\n"u8.ToArray(), 'g'), .. ArchiveForgery.Tar(b)]),
        ["Z07 two sizes"] = With(ArchiveForgery.Pax(("size", "512")), ArchiveForgery.TarPart("acme-2026/evil", "x"u8.ToArray())),
        ["Z07 a key twice"] = With(ArchiveForgery.Pax(("mtime", "1"), ("mtime", "2")), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 a key that is not known"] = With(ArchiveForgery.Pax(("hdrcharset", "BINARY")), ArchiveForgery.TarPart("acme-2026/evil", [])),
        ["Z07 pax header that is not well-formed"] = With(
            ArchiveForgery.TarPart("x", "999 path=a\n"u8.ToArray(), 'x'), ArchiveForgery.TarPart("acme-2026/evil", [])),
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
        ["Z09 small size in the form for large ones"] = With(
            ArchiveForgery.TarPart("acme-2026/evil", [], edit: h => { h.AsSpan(124, 12).Clear(); h[124] = 0x80; })),
        ["Z11 compressed as a whole"] = ("TYPE_UNSUPPORTED", _ => [0x1F, 0x8B, 8, 0]),
        ["Z12 name that readers decode differently"] = With(ArchiveForgery.TarPart("acme-2026/h\u00e9", [])),
        ["N10 more entries than are looked at"] = (
            "LIMIT_EXCEEDED", _ => [.. Enumerable.Range(0, 3000).SelectMany(n => ArchiveForgery.TarPart($"{n}", [])), .. new byte[1024]]),
    };

    internal static byte[] Edited(byte[] content, int at, byte change = 1)
    {
        var edited = content.ToArray();
        edited[at] ^= change;
        return edited;
    }

    internal static ZipPart Folder(string name) => new(name, []) { Attributes = 0x41ED0010 };

    private static (string, Func<List<ZipPart>, byte[]>) Added(ZipPart part) => ("CONTAINER_UNSAFE", parts => ArchiveForgery.Zip([.. parts, part]));

    private static (string, Func<List<ZipPart>, byte[]>) Changed(Func<ZipPart, ZipPart> change) => ("CONTAINER_UNSAFE", parts =>
        ArchiveForgery.Zip(parts.Select(p => p.Name.EndsWith("hr.csv", StringComparison.Ordinal) ? change(p) : p)));

    private static (string, Func<string, byte[]>) With(params byte[][] parts) => ("CONTAINER_UNSAFE", bundle => ArchiveForgery.Tar(bundle, parts));
}
