using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads the entries of a tar file (POSIX.1-2001 ustar and pax, and GNU's form for long names). It accepts files and folders
/// only: no links, devices or sparse files. A long name must continue the short name in the same header, so that readers that
/// know only short names do not see another file.
/// </summary>
internal static class TarEntries
{
    public const int Block = 512;
    public const int Magic = 257;
    private const int NameLength = 100;
    private const int MaxPax = 64 * 1024;

    /// <summary>The most zeros after the end; tar pads to 10 KiB unless told otherwise.</summary>
    private const int MaxPadding = 1024 * 1024;

    /// <summary>The first size that eleven octal digits cannot hold.</summary>
    private const long LargeSize = 1L << 33;

    private static readonly string[] HarmlessKeys =
    [
        "mtime", "atime", "ctime", "uid", "gid", "uname", "gname",
        "SCHILY.dev", "SCHILY.ino", "SCHILY.nlink", "SCHILY.fflags", "LIBARCHIVE.creationtime",
    ];

    /// <summary>The contents of an extended header that precedes the file's own header.</summary>
    private readonly record struct Before(string? LongName, string? PaxPath, long? PaxSize);

    /// <exception cref="UnsafeContainerException">The file as a whole is not in this form.</exception>
    public static void Read(FileBytes bytes, ArchiveIndex index, CancellationToken cancellationToken)
    {
        var length = bytes.Length;
        if (length % Block != 0)
            throw Whole("is cut off, or something follows it");
        var header = new byte[Block];
        Before? before = null;
        var count = 0L;
        for (long at = 0; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadExactly(bytes, header, at);
            if (!header.AsSpan().ContainsAnyExcept((byte)0))
            {
                if (before is not null)
                    throw Whole("ends after a header that belongs to a file");
                CheckEnd(bytes, at);
                return;
            }
            index.Count(++count);
            CheckSum(header);
            var isGnu = IsGnu(header);
            var size = Size(header);
            var content = at + Block;
            at = size <= length - content ? content + ((size + Block - 1) / Block * Block) : throw Whole("is cut off inside a file");
            CheckPadding(bytes, content + size, at);
            var kind = (char)header[156];
            switch (kind)
            {
                case 'x' or 'L' when before is not null:
                    throw Whole("has two headers with the name of one file");
                case 'x':
                    before = ReadPax(bytes, content, size);
                    break;
                case 'L' when isGnu:
                    before = new(ReadLongName(bytes, content, size), null, null);
                    break;
                default:
                    at = Add(bytes, header, kind, isGnu, content, size, at, before ?? default, index);
                    before = null;
                    break;
            }
        }
    }

    /// <summary>Adds a file or folder, and returns the position of the next header.</summary>
    private static long Add(
        FileBytes bytes, ReadOnlySpan<byte> header, char kind, bool isGnu, long content, long size, long next,
        Before before, ArchiveIndex index)
    {
        var shown = Text(header[..NameLength]);
        if (!isGnu && Text(header.Slice(345, 155)) is { Length: > 0 } prefix)
            shown = $"{prefix}/{shown}";
        var path = before.PaxPath ?? before.LongName ?? shown;
        if (path != shown && !(path.Length > NameLength && shown.Length > 0 && path.StartsWith(shown, StringComparison.Ordinal)))
            index.Fault(path, $"is called '{shown}' by readers that do not know long names");
        if (before.PaxSize is { } stated && stated != size)
        {
            // Only a size that does not fit into the header may be given elsewhere.
            if (size != 0 || stated < LargeSize || stated > bytes.Length - content)
                throw new UnsafeContainerException(path, "has two sizes");
            (size, next) = (stated, content + ((stated + Block - 1) / Block * Block));
            CheckPadding(bytes, content + size, next);
        }
        path = path == "./" || path == "." ? "" : path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
        if (kind is not ('0' or '\0' or '5'))
            index.Fault(path.Length == 0 ? "." : path, WhyNot(kind));
        else if (header.Slice(157, NameLength).ContainsAnyExcept((byte)0))
            index.Fault(path, "is a regular file with a link target");
        else if (kind != '5' && path.EndsWith('/'))
            index.Fault(path, "is a folder by its name and a file by its kind");
        else if (kind == '5' && size != 0)
            index.Fault(path, "is a folder with content");
        else if (path.Length > 0 || kind != '5')
            index.Add(path, kind == '5' ? null : new(content, size, size, null, Deflated: false));
        return next;
    }

    private static string WhyNot(char kind) => kind switch
    {
        '1' => "is a hard link; pack again without them (GNU tar: --hard-dereference)",
        '2' => "is a symbolic link",
        '3' or '4' => "is a device",
        '6' => "is a pipe",
        'S' => "is a sparse file, which readers put together differently; pack again without --sparse",
        'g' => "is a header for all files that follow, which could rename them",
        _ => $"is an entry of the kind '{(char.IsAsciiLetterOrDigit(kind) ? kind : '?')}', neither a file nor a folder",
    };

    private static bool IsGnu(ReadOnlySpan<byte> header)
    {
        var magic = header.Slice(Magic, 8);
        if (magic.SequenceEqual("ustar\000"u8))
            return header[500..].ContainsAnyExcept((byte)0) ? throw Whole("has a header with bytes after its fields") : false;
        if (!magic.SequenceEqual("ustar  \0"u8))
            throw Whole("has a header that is neither ustar's nor GNU tar's");
        return header[345..].ContainsAnyExcept((byte)0) ? throw Whole("has a header of a sparse or incremental archive") : true;
    }

    private static void CheckSum(ReadOnlySpan<byte> header)
    {
        var sum = 8L * ' ';
        for (var i = 0; i < Block; i++)
            sum += i is >= 148 and < 156 ? 0 : header[i];
        if (Octal(header.Slice(148, 8)) != sum)
            throw Whole("has a header whose checksum does not match");
    }

    private static long Size(ReadOnlySpan<byte> header)
    {
        var field = header.Slice(124, 12);
        if (field[0] != 0x80)
            return Octal(field) ?? throw Whole("has a header without a size");
        // GNU's binary form for sizes that eleven octal digits cannot hold.
        long size = 0;
        foreach (var b in field[1..])
            size = size >> 47 == 0 ? size << 8 | b : throw Whole("has a number too large to be a size");
        return size >= LargeSize ? size : throw Whole("has a small size in the form for large ones");
    }

    private static long? Octal(ReadOnlySpan<byte> field)
    {
        field = field.Trim((byte)' ').TrimEnd((byte)0).TrimEnd((byte)' ');
        long value = 0;
        foreach (var b in field)
        {
            if (b is < (byte)'0' or > (byte)'7')
                return null;
            value = value << 3 | (long)(b - '0');
        }
        return field.IsEmpty ? null : value;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end >= 0 && field[end..].ContainsAnyExcept((byte)0)
            ? throw Whole("has a name with bytes after its end")
            : Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    private static string ReadLongName(FileBytes bytes, long at, long size)
    {
        if (size is 0 or > ArchiveIndex.MaxName + 1)
            throw Whole($"has a name longer than {ArchiveIndex.MaxName} bytes");
        var name = new byte[size];
        ReadExactly(bytes, name, at);
        return name[^1] == 0 && Text(name) is { Length: var length } text && length == size - 1
            ? text
            : throw Whole("has a long name with bytes after its end");
    }

    private static Before ReadPax(FileBytes bytes, long at, long size)
    {
        if (size > MaxPax)
            throw Whole($"has an extended header of more than {MaxPax} bytes");
        var content = new byte[size];
        ReadExactly(bytes, content, at);
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        for (ReadOnlySpan<byte> left = content; !left.IsEmpty;)
        {
            // "<length> <key>=<value>\n", where the length includes itself.
            var space = left.IndexOf((byte)' ');
            if (space is < 1 or > 6 || !int.TryParse(left[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length > left.Length || length <= space + 1 || left[length - 1] != '\n')
            {
                throw Whole("has an extended header that is not well-formed");
            }
            var record = left[(space + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1 || !members.TryAdd(Encoding.Latin1.GetString(record[..equals]), Encoding.Latin1.GetString(record[(equals + 1)..])))
                throw Whole("has an extended header that is not well-formed, or sets one field twice");
            left = left[length..];
        }
        members.Remove("path", out var path);
        long? stated = members.Remove("size", out var number)
            ? long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw Whole("has an extended header with a size that is not a number")
            : null;
        return members.Keys.FirstOrDefault(k => !IsHarmless(k)) is { } unknown
            ? throw Whole($"has an extended header '{unknown}', which some readers interpret differently")
            : new(null, path, stated);
    }

    private static bool IsHarmless(string key) =>
        HarmlessKeys.Contains(key)
        || key.StartsWith("SCHILY.xattr.", StringComparison.Ordinal)
        || key.StartsWith("LIBARCHIVE.xattr.", StringComparison.Ordinal);

    private static void CheckEnd(FileBytes bytes, long at)
    {
        var length = bytes.Length;
        if (length - at < 2 * Block)
            throw Whole("has no end: it is cut off");
        if (length - at > MaxPadding)
            throw Whole("continues after its end");
        var padding = new byte[length - at];
        ReadExactly(bytes, padding, at);
        if (padding.AsSpan().ContainsAnyExcept((byte)0))
            throw Whole("has data after its end");
    }

    private static void CheckPadding(FileBytes bytes, long from, long to)
    {
        if (from == to)
            return;
        Span<byte> room = stackalloc byte[Block];
        var padding = room[..(int)(to - from)];
        ReadExactly(bytes, padding, from);
        if (padding.ContainsAnyExcept((byte)0))
            throw Whole("has data between two files");
    }

    private static void ReadExactly(FileBytes bytes, Span<byte> buffer, long at)
    {
        if (bytes.Fill(buffer, at) < buffer.Length)
            throw Whole("has no end: it is cut off");
    }

    private static UnsafeContainerException Whole(string message) => new(".", message);
}
