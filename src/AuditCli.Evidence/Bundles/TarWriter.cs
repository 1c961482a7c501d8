using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Writes a tar file (POSIX.1-2001 ustar; pax only for a name or size that ustar's header cannot hold). Equal entries give equal bytes: all
/// have the same time and owner 0. <see cref="TarEntries"/> reads what it writes.
/// </summary>
/// <param name="output">Where the archive goes; it stays open.</param>
/// <param name="modified">The time of every entry.</param>
internal sealed class TarWriter(Stream output, DateTimeOffset modified)
{
    private const int Block = TarEntries.Block;
    private const int NameLength = 100;
    private const int PrefixLength = 155;

    /// <summary>The first size that eleven octal digits cannot hold.</summary>
    private const long LargeSize = 1L << 33;
    private static readonly byte[] Zeros = new byte[Block];

    /// <summary>Writes a folder, which only its owner may enter.</summary>
    /// <param name="name">ASCII, ending with a slash.</param>
    public void WriteFolder(string name) => WriteHeaders(name, '5', 0, "0000700");

    /// <summary>Writes a file, which only its owner may read.</summary>
    /// <param name="name">ASCII.</param>
    /// <param name="size">The number of bytes that <paramref name="copy"/> writes.</param>
    /// <param name="copy">Writes the content to the stream that it is given.</param>
    public void WriteFile(string name, long size, Action<Stream> copy)
    {
        WriteHeaders(name, '0', size, "0000600");
        copy(output);
        output.Write(Zeros.AsSpan(0, Padding(size)));
    }

    /// <summary>Ends the archive.</summary>
    public void End()
    {
        output.Write(Zeros);
        output.Write(Zeros);
    }

    private void WriteHeaders(string name, char kind, long size, string mode)
    {
        var records = "";
        var (prefix, shortName) = Split(name);
        if (shortName is null)
        {
            records += Record("path", name);
            // A reader without pax sees the beginning of the name, never another name.
            (prefix, shortName) = ("", name[..NameLength]);
        }
        if (size >= LargeSize)
            records += Record("size", size.ToString(CultureInfo.InvariantCulture));
        if (records.Length > 0)
        {
            var content = Encoding.ASCII.GetBytes(records);
            output.Write(Header("", "././@PaxHeader", 'x', content.Length, "0000600"));
            output.Write(content);
            output.Write(Zeros.AsSpan(0, Padding(content.Length)));
        }
        output.Write(Header(prefix, shortName, kind, size >= LargeSize ? 0 : size, mode));
    }

    /// <summary>Splits a name at a slash so that both parts fit into ustar's header; the second is null if none does.</summary>
    private static (string Prefix, string? Name) Split(string name)
    {
        if (name.Length <= NameLength)
            return ("", name);
        // The slash that ends a folder's name belongs to the name.
        for (var slash = name.IndexOf('/', name.Length - NameLength - 1); slash >= 0 && slash < name.Length - 1; slash = name.IndexOf('/', slash + 1))
        {
            if (slash <= PrefixLength)
                return (name[..slash], name[(slash + 1)..]);
        }
        return ("", null);
    }

    /// <summary>Returns a record of an extended header, whose length includes its own digits.</summary>
    private static string Record(string key, string value)
    {
        var rest = $" {key}={value}\n";
        var length = rest.Length + 1;
        while (rest.Length + length.ToString(CultureInfo.InvariantCulture).Length != length)
            length = rest.Length + length.ToString(CultureInfo.InvariantCulture).Length;
        return length.ToString(CultureInfo.InvariantCulture) + rest;
    }

    private byte[] Header(string prefix, string name, char kind, long size, string mode)
    {
        var header = new byte[Block];
        void Put(int at, string text) => Encoding.ASCII.GetBytes(text, header.AsSpan(at));
        Put(0, name);
        Put(100, mode);
        Put(108, "0000000");
        Put(116, "0000000");
        Put(124, Octal(size));
        Put(136, Octal(modified.ToUnixTimeSeconds()));
        Put(148, "        ");
        Put(156, kind.ToString());
        Put(TarEntries.Magic, "ustar\00000");
        Put(329, "0000000");
        Put(337, "0000000");
        Put(345, prefix);
        var sum = 0;
        foreach (var value in header)
            sum += value;
        Put(148, Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ");
        return header;
    }

    private static string Octal(long value) => Convert.ToString(value, 8).PadLeft(11, '0');

    private static int Padding(long size) => (int)((Block - size % Block) % Block);
}
