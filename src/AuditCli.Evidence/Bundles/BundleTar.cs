using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Writes a bundle as an uncompressed tar (POSIX.1-2001) with the bundle's folder at its top. Equal bundles give equal bytes: entries are in
/// ordinal order of their paths and have no owner, no time and one mode.
/// </summary>
public static class BundleTar
{
    private const int Block = TarEntries.Block;
    private const int NameLength = 100;
    private const int PrefixLength = 155;
    private const int MaxEntries = 1_000_000;

    /// <summary>The first size that eleven octal digits cannot hold.</summary>
    private const long LargeSize = 1L << 33;

    /// <summary>Writes a bundle that is a folder or an archive.</summary>
    /// <param name="id">The name of its top folder.</param>
    /// <exception cref="InvalidDataException">It holds a link, a pipe or another special file, or is not safe to read.</exception>
    /// <exception cref="IOException">A file cannot be read, or changed meanwhile; or the archive cannot be written.</exception>
    public static void Write(string bundle, string id, Stream archive, CancellationToken cancellationToken)
    {
        using var files = Open(bundle, cancellationToken);
        var tree = files.Tree(MaxEntries, cancellationToken);
        if (tree.Links is [var link, ..])
            throw new InvalidDataException($"{bundle}: {link} is a link");
        if (tree.Unreadable is [var (unread, why), ..])
            throw new IOException($"{bundle}: {unread}: {why}");
        var buffer = new byte[128 * 1024];
        foreach (var path in tree.Files.Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var (content, owner) = files.Open(path, cancellationToken);
                using (owner)
                    Write(archive, $"{id}/{path}", content, buffer, cancellationToken);
            }
            catch (NotSupportedException e)
            {
                throw new InvalidDataException($"{bundle}: {path} is not a regular file", e);
            }
        }
        archive.Write(new byte[2 * Block]);
    }

    private static BundleFiles Open(string bundle, CancellationToken cancellationToken)
    {
        if (Directory.Exists(bundle))
            return new BundleFolder(bundle);
        var (archive, faults) = BundleArchive.Open(bundle, MaxEntries, cancellationToken);
        return archive ?? throw new InvalidDataException($"{bundle}: {faults[0].Path} {faults[0].Message}");
    }

    private static void Write(Stream archive, string path, FileBytes content, byte[] buffer, CancellationToken cancellationToken)
    {
        var records = new StringBuilder();
        var (prefix, name) = Split(path);
        if (name.Length == 0)
        {
            // Readers that know only short names see the beginning of the long one.
            name = path[..NameLength];
            records.Append(Record("path", path));
        }
        var isLarge = content.Length >= LargeSize;
        if (isLarge)
            records.Append(Record("size", content.Length.ToString(CultureInfo.InvariantCulture)));
        if (records.Length > 0)
        {
            var extended = Encoding.ASCII.GetBytes(records.ToString());
            archive.Write(Header("", name, extended.Length, 'x'));
            archive.Write(extended);
            Pad(archive, extended.Length);
        }
        archive.Write(Header(prefix, name, isLarge ? 0 : content.Length, '0'));
        var at = 0L;
        for (int read; (read = content.Read(buffer, at)) > 0; at += read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            archive.Write(buffer, 0, read);
        }
        if (at != content.Length)
            throw new ChangedFileException($"{path} changed while it was read");
        Pad(archive, content.Length);
    }

    /// <summary>Divides a path into the two fields of a header; the name is empty if it does not fit.</summary>
    private static (string Prefix, string Name) Split(string path)
    {
        if (path.Length <= NameLength)
            return ("", path);
        var slash = path.IndexOf('/', path.Length - NameLength - 1);
        return slash is > 0 and <= PrefixLength ? (path[..slash], path[(slash + 1)..]) : ("", "");
    }

    /// <summary>Returns a record of an extended header, which begins with its own length.</summary>
    private static string Record(string key, string value)
    {
        var rest = $" {key}={value}\n";
        var length = rest.Length;
        while (length != rest.Length + Digits(length))
            length = rest.Length + Digits(length);
        return string.Create(CultureInfo.InvariantCulture, $"{length}{rest}");
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private static byte[] Header(string prefix, string name, long size, char kind)
    {
        var header = new byte[Block];
        Text(header, 0, name);
        Text(header, 100, "0000600");
        Text(header, 108, "0000000");
        Text(header, 116, "0000000");
        Text(header, 124, Convert.ToString(size, 8).PadLeft(11, '0'));
        Text(header, 136, "00000000000");
        header.AsSpan(148, 8).Fill((byte)' ');
        header[156] = (byte)kind;
        Text(header, TarEntries.Magic, "ustar");
        Text(header, 263, "00");
        Text(header, 345, prefix);
        var sum = 0;
        foreach (var value in header)
            sum += value;
        Text(header, 148, Convert.ToString(sum, 8).PadLeft(6, '0'));
        header[154] = 0;
        return header;
    }

    private static void Text(byte[] header, int at, string text) => Encoding.ASCII.GetBytes(text, header.AsSpan(at));

    private static void Pad(Stream archive, long length)
    {
        if (length % Block is > 0 and var over)
            archive.Write(new byte[Block - over]);
    }
}
