using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>An entry of a forged zip file. A property that is null is written correctly.</summary>
internal sealed record ZipPart(string Name, byte[] Content)
{
    public string? LocalName { get; init; }
    public byte[]? Data { get; init; }
    public bool Deflated { get; init; }
    public ushort? Method { get; init; }
    public ushort? LocalMethod { get; init; }
    public ushort Flags { get; init; }
    public uint? Crc { get; init; }
    public uint? LocalCrc { get; init; }
    public uint? Size { get; init; }
    public uint? LocalSize { get; init; }
    public uint? Stored { get; init; }
    public uint Attributes { get; init; } = 0x81A40000;
    public byte[] Extra { get; init; } = [];
    public byte[]? LocalExtra { get; init; }
    public uint? Offset { get; init; }
    public byte[] Descriptor { get; init; } = [];
}

/// <summary>Builds zip and tar files byte by byte.</summary>
internal static class ArchiveForgery
{
    /// <summary>Returns the files of a folder as parts, below a top folder with its name.</summary>
    public static List<ZipPart> Parts(string bundle) =>
    [
        .. Directory.GetFiles(bundle, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => new ZipPart($"{Path.GetFileName(bundle)}/{Path.GetRelativePath(bundle, f)}", File.ReadAllBytes(f))),
    ];

    public static byte[] Zip(
        IEnumerable<ZipPart> parts,
        byte[]? prefix = null,
        byte[]? between = null,
        byte[]? beforeList = null,
        string comment = "",
        int? count = null)
    {
        using var zip = new MemoryStream();
        using var list = new MemoryStream();
        zip.Write(prefix ?? []);
        var number = 0;
        foreach (var part in parts)
        {
            var at = (uint)zip.Length;
            var data = part.Data ?? (part.Deflated ? Deflate(part.Content) : part.Content);
            var method = part.Method ?? (ushort)(part.Deflated ? 8 : 0);
            var crc = part.Crc ?? Crc32.Append(0, part.Content);
            var size = part.Size ?? (uint)part.Content.Length;
            var stored = part.Stored ?? (uint)data.Length;
            var name = Encoding.UTF8.GetBytes(part.Name);
            var localName = Encoding.UTF8.GetBytes(part.LocalName ?? part.Name);
            var localExtra = part.LocalExtra ?? part.Extra;
            zip.Write([.. "PK\x03\x04"u8, .. U16(20), .. U16(part.Flags), .. U16(part.LocalMethod ?? method), .. U32(0),
                .. U32(part.LocalCrc ?? crc), .. U32(stored), .. U32(part.LocalSize ?? size),
                .. U16((ushort)localName.Length), .. U16((ushort)localExtra.Length), .. localName, .. localExtra, .. data, .. part.Descriptor]);
            list.Write([.. "PK\x01\x02"u8, .. U16(0x0314), .. U16(20), .. U16(part.Flags), .. U16(method), .. U32(0), .. U32(crc), .. U32(stored), .. U32(size),
                .. U16((ushort)name.Length), .. U16((ushort)part.Extra.Length), .. U16(0), .. U16(0), .. U16(0),
                .. U32(part.Attributes), .. U32(part.Offset ?? at), .. name, .. part.Extra]);
            zip.Write(between ?? []);
            number++;
        }
        zip.Write(beforeList ?? []);
        var listAt = (uint)zip.Length;
        zip.Write(list.ToArray());
        zip.Write([.. "PK\x05\x06"u8, .. U32(0), .. U16((ushort)(count ?? number)), .. U16((ushort)(count ?? number)),
            .. U32((uint)list.Length), .. U32(listAt), .. U16((ushort)comment.Length), .. Encoding.ASCII.GetBytes(comment)]);
        return zip.ToArray();
    }

    public static byte[] Deflate(byte[] content)
    {
        using var deflated = new MemoryStream();
        using (var stream = new DeflateStream(deflated, CompressionLevel.SmallestSize, leaveOpen: true))
            stream.Write(content);
        return deflated.ToArray();
    }

    /// <summary>Returns a header and its content, padded.</summary>
    public static byte[] TarPart(
        string name, byte[] content, char kind = '0', string link = "", string prefix = "", long? size = null, bool gnu = false,
        Action<byte[]>? edit = null)
    {
        var header = new byte[512];
        void Put(int at, ReadOnlySpan<byte> bytes) => bytes.CopyTo(header.AsSpan(at));
        Put(0, Encoding.UTF8.GetBytes(name));
        Put(100, "0000644\0"u8);
        Put(108, "0000000\0"u8);
        Put(116, "0000000\0"u8);
        Put(124, Encoding.ASCII.GetBytes(Convert.ToString(size ?? content.Length, 8).PadLeft(11, '0') + "\0"));
        Put(136, "00000000000\0"u8);
        header[156] = (byte)kind;
        Put(157, Encoding.UTF8.GetBytes(link));
        Put(257, gnu ? "ustar  \0"u8 : "ustar\000"u8);
        Put(345, Encoding.UTF8.GetBytes(prefix));
        edit?.Invoke(header);
        Put(148, "        "u8);
        Put(148, Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 "));
        return [.. header, .. content, .. new byte[(512 - content.Length % 512) % 512]];
    }

    public static byte[] Tar(string bundle, params IEnumerable<byte[]> more) =>
        [.. Parts(bundle).SelectMany(p => TarPart(p.Name, p.Content)), .. more.SelectMany(m => m), .. new byte[1024]];

    public static byte[] Pax(params (string Key, string Value)[] members) => TarPart("PaxHeader", [.. members.SelectMany(m =>
    {
        var rest = $" {m.Key}={m.Value}\n";
        var length = rest.Length + 1;
        while ($"{length}".Length + rest.Length != length)
            length++;
        return Encoding.UTF8.GetBytes($"{length}{rest}");
    })], 'x');

    private static byte[] U16(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        return bytes;
    }

    public static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
