using System.Buffers.Binary;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads the entries of a zip file (PKWARE's APPNOTE 6.3.10, with zip64) in the one form that allows only one reading: the
/// entries one after another from the first byte, then the list of entries (central directory), then its end; stored or deflated;
/// each entry's own header equal to its record in the list. Files written by <c>zip</c>, Python and .NET are in this form.
/// </summary>
internal static class ZipEntries
{
    private const int EndSize = 22;
    private const int LocatorSize = 20;
    private const int End64Size = 56;
    private const int ListedSize = 46;
    private const int LocalSize = 30;
    private const int MaxExtra = 4096;
    private const int MaxDescriptor = 24;
    private const ushort Full16 = ushort.MaxValue;
    private const uint Full32 = uint.MaxValue;
    private const ushort Zip64Extra = 1;
    private const uint DescriptorSignature = 0x08074B50;

    /// <summary>
    /// Entries that inflate to more than this, and by more than <see cref="MaxRatio"/>, are refused as decompression bombs.
    /// </summary>
    private const long RatioCounts = 1024 * 1024;
    private const int MaxRatio = 200;

    private static readonly ushort[] HarmlessExtras = [Zip64Extra, 0x000A, 0x5455, 0x5855, 0x7855, 0x7875];

    [Flags]
    private enum Flags : ushort
    {
        Encrypted = 1,
        DeflateSpeed = 2 | 4,
        Descriptor = 8,
        StronglyEncrypted = 64,
        Utf8 = 2048,
        MaskedHeaders = 8192,
    }

    private readonly record struct Listed(byte[] Name, Flags Flags, ushort Method, uint Crc, long Stored, long Size, long Local)
    {
        public string Text => Encoding.Latin1.GetString(Name);

        public bool IsFolder => Name is [.., (byte)'/'];
    }

    /// <exception cref="UnsafeContainerException">The file as a whole is not in this form.</exception>
    public static void Read(FileBytes bytes, ArchiveIndex index, CancellationToken cancellationToken)
    {
        var (listAt, listSize, count) = FindList(bytes);
        index.Count(count);
        var entries = ReadList(bytes, listAt, listSize, (int)count, index, cancellationToken);
        entries.Sort((a, b) => a.Local.CompareTo(b.Local));
        long at = 0;
        for (var n = 0; n < entries.Count; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var next = n + 1 < entries.Count ? entries[n + 1].Local : listAt;
            if (entries[n].Local != at)
            {
                throw new UnsafeContainerException(
                    entries[n].Text, at == 0 ? "there are bytes before the first entry" : "begins inside or after another entry's bytes");
            }
            ReadLocal(bytes, entries[n], next, index);
            at = next;
        }
        if (entries.Count == 0 && listAt != 0)
            throw Whole("there are bytes before the list of entries");
    }

    private static (long At, long Size, long Count) FindList(FileBytes bytes)
    {
        var length = bytes.Length;
        if (length < EndSize)
            throw Whole("is too short for a zip file");
        Span<byte> end = stackalloc byte[EndSize];
        ReadExactly(bytes, end, length - EndSize);
        if (!end.StartsWith("PK\x05\x06"u8) || U16(end, 20) != 0)
            throw Whole("does not end with the list of its entries: it is cut off, or something follows it");
        var (count, size, at) = ((long)U16(end, 10), (long)U32(end, 12), (long)U32(end, 16));
        var listEnd = length - EndSize;
        var (countHere, disks) = ((long)U16(end, 8), U16(end, 4) | U16(end, 6));
        if (count == Full16 || size == Full32 || at == Full32)
        {
            listEnd -= LocatorSize + End64Size;
            if (listEnd < 0)
                throw Whole("is too short for a zip file");
            Span<byte> end64 = stackalloc byte[End64Size + LocatorSize];
            ReadExactly(bytes, end64, listEnd);
            var locator = end64[End64Size..];
            if (!end64.StartsWith("PK\x06\x06"u8) || U64(end64, 4) != End64Size - 12 || !locator.StartsWith("PK\x06\x07"u8)
                || U32(locator, 4) != 0 || U64(locator, 8) != listEnd || U32(locator, 16) != 1)
            {
                throw Whole("the long form (zip64) of the list's end is not in its place");
            }
            disks = disks == Full16 ? 0 : disks;
            if (U32(end64, 16) != 0 || U32(end64, 20) != 0 || !Agrees(count, U64(end64, 32), Full16) || !Agrees(countHere, U64(end64, 24), Full16)
                || !Agrees(size, U64(end64, 40), Full32) || !Agrees(at, U64(end64, 48), Full32))
            {
                throw Whole("the two ends of the list disagree");
            }
            (countHere, count, size, at) = (U64(end64, 24), U64(end64, 32), U64(end64, 40), U64(end64, 48));
        }
        if (disks != 0 || count != countHere)
            throw Whole("is one part of several");
        if (at > listEnd || listEnd - at != size)
            throw Whole("the list of entries is not where its end says: bytes were put before the first entry or after the list");
        // Every entry needs room for its record in the list, so a larger count is false. It is checked before memory for the
        // entries is allocated.
        if (count > size / ListedSize)
            throw Whole($"claims {count} entries but is too small for them");
        return (at, size, count);
    }

    private static List<Listed> ReadList(FileBytes bytes, long at, long size, int count, ArchiveIndex index, CancellationToken cancellationToken)
    {
        var entries = new List<Listed>(count);
        var end = at + size;
        var room = new byte[ListedSize + ArchiveIndex.MaxName + MaxExtra];
        for (var n = 0; n < count; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var here = room.AsSpan(0, (int)Math.Min(room.Length, end - at));
            ReadExactly(bytes, here, at);
            if (here.Length < ListedSize || !here.StartsWith("PK\x01\x02"u8))
                throw Whole($"entry {n + 1} of the list is not there");
            var (name, extra, comment) = (U16(here, 28), U16(here, 30), U16(here, 32));
            if (name > ArchiveIndex.MaxName || extra > MaxExtra || comment != 0 || here.Length < ListedSize + name + extra)
                throw Whole($"entry {n + 1} of the list has a comment, or a name or extra fields longer than a bundle needs");
            var entry = new Listed(
                here.Slice(ListedSize, name).ToArray(), (Flags)U16(here, 8), U16(here, 10), U32(here, 16), U32(here, 20), U32(here, 24), U32(here, 42));
            entry = WithLongForm(entry, here.Slice(ListedSize + name, extra), index);
            if (WhyUnsafe(entry, attributes: U32(here, 38), disk: U16(here, 34)) is { } why)
                index.Fault(entry.Text, why);
            else if (entry.Method is not (0 or 8))
            {
                index.Fault(
                    entry.Text, $"is compressed by method {entry.Method}, which this version does not know; only 'stored' and 'deflated' are read",
                    VerifyCode.TypeUnsupported);
            }
            entries.Add(entry);
            at += ListedSize + name + extra;
        }
        return at == end ? entries : throw Whole("there are bytes after the list of entries");
    }

    private static Listed WithLongForm(Listed entry, ReadOnlySpan<byte> extras, ArchiveIndex index)
    {
        var values = Extras(entry, extras, index);
        long Value(long value, ref ReadOnlySpan<byte> from)
        {
            if (value != Full32)
                return value;
            if (from.Length < 8)
                throw new UnsafeContainerException(entry.Text, "has no size or place in the list");
            var found = U64(from, 0);
            from = from[8..];
            return found;
        }
        // The values come in this order, and only those that do not fit the short form.
        var size = Value(entry.Size, ref values);
        var stored = Value(entry.Stored, ref values);
        return entry with { Size = size, Stored = stored, Local = Value(entry.Local, ref values) };
    }

    private static string? WhyUnsafe(Listed entry, uint attributes, ushort disk)
    {
        const Flags known = Flags.DeflateSpeed | Flags.Descriptor | Flags.Utf8;
        const uint dosFolder = 0x10;
        // The upper half holds the Unix mode, whose highest digit is the kind of file.
        var kind = attributes >> 28;
        if ((entry.Flags & (Flags.Encrypted | Flags.StronglyEncrypted | Flags.MaskedHeaders)) != 0)
            return "is encrypted";
        if ((entry.Flags & ~known) != 0)
            return $"has flags ({(ushort)entry.Flags:x4}) that this version does not know";
        if (disk != 0)
            return "lies in another part";
        if (kind is not (0 or 4 or 8))
            return kind == 0xA ? "is a symbolic link" : "is neither a file nor a folder";
        if (kind != 0 && kind == 4 != entry.IsFolder)
            return "has a name and a mode that disagree on whether it is a file or a folder";
        if (!entry.IsFolder && kind == 0 && (attributes & dosFolder) != 0)
            return "is a file by its name and a folder by its attributes";
        if (entry.IsFolder && (entry.Size != 0 || entry.Stored != 0))
            return "is a folder with content";
        if (entry.Method == 0 && entry.Size != entry.Stored)
            return "is stored uncompressed with two different sizes";
        return entry.Size > RatioCounts && entry.Size / MaxRatio > entry.Stored
            ? $"grows from {entry.Stored} to {entry.Size} bytes, more than {MaxRatio} times: it is made to exhaust its reader"
            : null;
    }

    private static void ReadLocal(FileBytes bytes, Listed entry, long next, ArchiveIndex index)
    {
        var most = (int)Math.Min(LocalSize + ArchiveIndex.MaxName + MaxExtra, next - entry.Local);
        var room = (stackalloc byte[LocalSize + ArchiveIndex.MaxName + MaxExtra])[..most];
        ReadExactly(bytes, room, entry.Local);
        if (room.Length < LocalSize || !room.StartsWith("PK\x03\x04"u8))
            throw new UnsafeContainerException(entry.Text, "is not where the list says");
        var (name, extra) = (U16(room, 26), U16(room, 28));
        if (extra > MaxExtra || room.Length < LocalSize + name + extra)
            throw new UnsafeContainerException(entry.Text, "has a name or extra fields longer than a bundle needs");
        var described = (entry.Flags & Flags.Descriptor) != 0;
        var local = entry with { Crc = U32(room, 14), Stored = U32(room, 18), Size = U32(room, 22) };
        var values = Extras(entry, room.Slice(LocalSize + name, extra), index);
        if ((local.Size == Full32 || local.Stored == Full32) && values.Length >= 16)
            local = local with { Size = U64(values, 0), Stored = U64(values, 8) };
        // An entry that was written to a pipe has zeros here, and its values in a descriptor after the content.
        bool Says(long local, long listed) => local == listed || (described && local == 0);
        if (!room.Slice(LocalSize, name).SequenceEqual(entry.Name) || (Flags)U16(room, 6) != entry.Flags || U16(room, 8) != entry.Method
            || !Says(local.Crc, entry.Crc) || !Says(local.Stored, entry.Stored) || !Says(local.Size, entry.Size))
        {
            index.Fault(entry.Text, "has a header that differs from its entry in the list");
            return;
        }
        var data = entry.Local + LocalSize + name + extra;
        var behind = next - data - entry.Stored;
        if (behind < 0 || (described ? !IsDescriptor(bytes, data + entry.Stored, behind, entry) : behind != 0))
            throw new UnsafeContainerException(entry.Text, "overlaps with what follows, or there are bytes between them");
        index.Add(entry.Text, entry.IsFolder ? null : new(data, entry.Stored, entry.Size, entry.Crc, entry.Method == 8));
    }

    private static bool IsDescriptor(FileBytes bytes, long at, long size, Listed entry)
    {
        if (size is not (12 or 16 or 20 or MaxDescriptor))
            return false;
        Span<byte> room = stackalloc byte[MaxDescriptor];
        var content = room[..(int)size];
        ReadExactly(bytes, content, at);
        if (size is 16 or MaxDescriptor)
        {
            if (U32(content, 0) != DescriptorSignature)
                return false;
            content = content[4..];
        }
        return U32(content, 0) == entry.Crc && (content.Length == 12
            ? (U32(content, 4), U32(content, 8)) == (entry.Stored, entry.Size)
            : (U64(content, 4), U64(content, 12)) == (entry.Stored, entry.Size));
    }

    /// <summary>
    /// Checks the extra fields, each of which must be one that does not change the reading. Returns the values of the long form
    /// (zip64), empty without it.
    /// </summary>
    private static ReadOnlySpan<byte> Extras(Listed entry, ReadOnlySpan<byte> extras, ArchiveIndex index)
    {
        ReadOnlySpan<byte> values = [];
        var seen = false;
        while (!extras.IsEmpty)
        {
            if (extras.Length < 4 || extras.Length - 4 < U16(extras, 2))
                throw new UnsafeContainerException(entry.Text, "has extra fields that are cut off");
            var id = U16(extras, 0);
            var content = extras.Slice(4, U16(extras, 2));
            if (!HarmlessExtras.Contains(id) || (id == Zip64Extra && seen))
                index.Fault(entry.Text, $"has the extra field {id:x4}, which some readers interpret differently");
            if (id == Zip64Extra)
            {
                values = content;
                seen = true;
            }
            extras = extras[(4 + content.Length)..];
        }
        return values;
    }

    private static bool Agrees(long stated, long found, long full) => stated == full || stated == found;

    private static void ReadExactly(FileBytes bytes, Span<byte> buffer, long at)
    {
        if (bytes.Fill(buffer, at) < buffer.Length)
            throw Whole("is cut off");
    }

    private static UnsafeContainerException Whole(string message) => new(".", message);

    private static ushort U16(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt16LittleEndian(from[at..]);

    private static uint U32(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt32LittleEndian(from[at..]);

    /// <summary>Reads 64 bits as a signed number, because no archive has more than 2^63 of anything.</summary>
    private static long U64(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt64LittleEndian(from[at..]) is var value && value <= long.MaxValue
        ? (long)value
        : throw Whole("has a number too large to be a size");
}
