using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Searches a supplied file for credentials before the first request: text in UTF-8 and UTF-16, the members of archives and workbooks, text
/// that is encoded once more, and columns whose heading names a credential.
/// </summary>
internal static class InputSearch
{
    private const int MostArchives = 3;
    private const long LargestMember = 64L << 20;
    private const int LongestRecord = 1 << 20;
    private const int Overlap = 4096;
    private const string Workbook = "xl/workbook.xml";
    private static readonly BodyRedaction Detector = new(new byte[32]);

    /// <summary>Returns a message about a file without what looks like a credential, which cells, names of columns and members may be.</summary>
    public static string Clean(string message) => Detector.Shown(message);

    /// <summary>Returns the place of the first credential (file, row and column); null if there is none.</summary>
    /// <param name="shown">The file name used in messages.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A part of the file cannot be searched; the message names it.</exception>
    public static string? First(string path, string shown, CancellationToken cancellationToken)
    {
        shown = Detector.Shown(shown);
        using var file = RegularFile.OpenRead(path);
        return IsParquet(file) ? InParquet(path, shown, cancellationToken) : First(file, shown, MostArchives, cancellationToken);
    }

    private static bool IsParquet(Stream content)
    {
        Span<byte> head = stackalloc byte[4];
        var isParquet = content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == 4 && head.SequenceEqual("PAR1"u8);
        content.Position = 0;
        return isParquet;
    }

    /// <summary>Searches the values, because the pages of the file are compressed.</summary>
    private static string? InParquet(string path, string shown, CancellationToken cancellationToken)
    {
        var pairs = new RowPairs();
        foreach (var (row, column, text) in ParquetInput.Texts(path, shown))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (IsSecret(column, text) || pairs.AreCompletedBy(row, column, text))
                return Found($"{shown}:{row}", Shown(column));
        }
        return null;
    }

    /// <param name="content">A seekable stream; it is read from the beginning again.</param>
    private static string? First(Stream content, string shown, int archives, CancellationToken cancellationToken)
    {
        Span<byte> head = stackalloc byte[512];
        head = head[..content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        content.Position = 0;
        if (head is [0x50, 0x4b, 3, 4, ..])
            return InArchive(content, shown, archives, cancellationToken);
        if (head.StartsWith("PAR1"u8))
            throw new InvalidDataException($"{shown}: is a Parquet file in an archive, and is not searched for credentials");
        if (head is [0x1f, 0x8b, ..])
        {
            using var unpacked = Unpacked(new GZipStream(content, CompressionMode.Decompress, leaveOpen: true), shown, archives, cancellationToken);
            return First(unpacked, shown, archives - 1, cancellationToken);
        }
        using var reader = new StreamReader(content, EncodingOf(head), detectEncodingFromByteOrderMarks: true, leaveOpen: true);
        return InText(reader, shown, cancellationToken);
    }

    private static string? InArchive(Stream content, string shown, int archives, CancellationToken cancellationToken)
    {
        using var archive = new ZipArchive(content, ZipArchiveMode.Read, leaveOpen: true);
        if (archive.GetEntry(Workbook) is not null && InWorkbook(archive, shown, cancellationToken) is { } cell)
            return cell;
        foreach (var entry in archive.Entries.Where(e => e.Length > 0 || e.CompressedLength > 0))
        {
            var member = $"{shown}: {Detector.Shown(entry.FullName)}";
            using var packed = entry.Open();
            using var unpacked = Unpacked(packed, member, archives, cancellationToken);
            if (First(unpacked, member, archives - 1, cancellationToken) is { } found)
                return found;
        }
        return null;
    }

    /// <summary>Unpacks a member of an archive, in memory: nothing of an input is written to disk before it was searched.</summary>
    private static MemoryStream Unpacked(Stream packed, string shown, int archives, CancellationToken cancellationToken)
    {
        if (archives == 0)
            throw new InvalidDataException($"{shown}: is an archive nested three levels deep, and is not searched for credentials");
        var part = new MemoryStream();
        var some = new byte[1 << 16];
        for (int read; (read = packed.Read(some)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            part.Write(some, 0, read);
            if (part.Length > LargestMember)
                throw new InvalidDataException($"{shown}: is larger than {LargestMember >> 20} MiB when unpacked, and is not searched for credentials");
        }
        part.Position = 0;
        return part;
    }

    /// <summary>
    /// Detects UTF-16 without a byte order mark by the zero in every second byte of its first letters; otherwise returns UTF-8.
    /// </summary>
    private static Encoding EncodingOf(ReadOnlySpan<byte> head)
    {
        var (even, odd) = (0, 0);
        for (var i = 0; i + 1 < Math.Min(head.Length, 256); i += 2)
        {
            even += head[i] == 0 ? 1 : 0;
            odd += head[i + 1] == 0 ? 1 : 0;
        }
        var most = Math.Min(head.Length, 256) / 4;
        return most > 0 && odd > most && even == 0 ? Encoding.Unicode : most > 0 && even > most && odd == 0 ? Encoding.BigEndianUnicode : Encoding.UTF8;
    }

    /// <summary>Reads records of cells, as a spreadsheet does; text without a delimiter has one cell per line.</summary>
    private static string? InText(StreamReader reader, string shown, CancellationToken cancellationToken)
    {
        string[]? heading = null;
        var delimiter = '\0';
        var pairs = new RowPairs();
        foreach (var (line, text) in Records(reader))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (heading is null)
                delimiter = ",;\t|".MaxBy(d => text.Count(c => c == d));
            var cells = Cells(text, delimiter);
            heading ??= cells;
            for (var i = 0; i < cells.Length; i++)
            {
                var column = cells.Length == heading.Length && heading.Length > 1 ? heading[i] : null;
                if (IsSecret(line > 1 ? column : null, cells[i]) || line > 1 && pairs.AreCompletedBy(line, column, cells[i]))
                    return Found($"{shown}:{line}", column is null ? null : Shown(column, i + 1));
            }
            // A name and its value may be in two cells, with or without headings.
            if (cells.Length > 1 && (Detector.Finds(text) || cells.Length == 2 && ValueName.IsPair(cells[0], cells[1])))
                return Found($"{shown}:{line}", null);
        }
        return null;
    }

    private static bool IsSecret(string? column, string cell) =>
        cell.Length > 0 && (column is not null && NamedForms.InMember(column.Trim(), cell) || Detector.Finds(cell));

    /// <summary>Returns a column for messages: by its name, unless that is or holds a secret too.</summary>
    private static string Shown(string name, int? number = null) =>
        Detector.Finds(name) ? number is null ? "a column whose name is one too" : $"column {number}" : $"column {name}";

    private static string Found(string place, string? column) => $"{place}: holds what looks like a credential{(column is null ? "" : $" ({column})")}";

    /// <summary>Yields lines, joining those that a quoted cell spans; an endless line is cut so that memory stays bounded.</summary>
    private static IEnumerable<(long Line, string Text)> Records(StreamReader reader)
    {
        var record = new StringBuilder();
        var (line, first, quoted) = (1L, 1L, false);
        for (int c; (c = reader.Read()) >= 0;)
        {
            quoted ^= c == '"';
            if (c == '\n')
            {
                line++;
                // Quotes may be unbalanced; after a hundred lines the text is not taken for one record.
                if (!quoted || line - first > 100)
                {
                    yield return (first, record.ToString());
                    record.Clear();
                    (first, quoted) = (line, false);
                    continue;
                }
            }
            record.Append((char)c);
            if (record.Length >= LongestRecord)
            {
                yield return (first, record.ToString());
                record.Remove(0, record.Length - Overlap);
                first = line;
            }
        }
        if (record.Length > 0)
            yield return (first, record.ToString());
    }

    private static string[] Cells(string record, char delimiter)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        foreach (var c in record)
        {
            if (c == '"')
                quoted = !quoted;
            if (c == delimiter && !quoted)
            {
                cells.Add(Unquoted(cell));
                cell.Clear();
            }
            else if (c != '\r')
                cell.Append(c);
        }
        cells.Add(Unquoted(cell));
        return [.. cells];
    }

    private static string Unquoted(StringBuilder cell)
    {
        var text = cell.ToString().Trim();
        return text is ['"', .., '"'] ? text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : text;
    }

    /// <summary>Searches the sheets of a workbook by row and heading; the other parts are searched as text.</summary>
    private static string? InWorkbook(ZipArchive archive, string shown, CancellationToken cancellationToken)
    {
        var shared = archive.GetEntry("xl/sharedStrings.xml") is { } strings ? Texts(strings, "si") : [];
        foreach (var sheet in archive.Entries.Where(e =>
            e.FullName.StartsWith("xl/worksheets/", StringComparison.Ordinal) && e.FullName.EndsWith(".xml", StringComparison.Ordinal)))
        {
            var headings = new Dictionary<string, string>(StringComparer.Ordinal);
            var pairs = new RowPairs();
            using var content = sheet.Open();
            using var reader = XmlReader.Create(content, Settings);
            var (reference, type) = ("", "");
            while (reader.Read())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (reader.NodeType != XmlNodeType.Element)
                    continue;
                if (reader.LocalName == "c")
                    (reference, type) = (reader.GetAttribute("r") ?? "", reader.GetAttribute("t") ?? "");
                if (reader.LocalName is not ("v" or "t") || reader.IsEmptyElement)
                    continue;
                var value = Content(reader);
                if (type == "s" && reader.LocalName == "v"
                    && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < shared.Count)
                {
                    value = shared[index];
                }
                var column = reference.TrimEnd("0123456789".ToCharArray());
                var known = headings.TryGetValue(column, out var heading);
                _ = long.TryParse(reference.AsSpan(column.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var row);
                if (IsSecret(known ? heading : null, value) || pairs.AreCompletedBy(row, known ? heading : null, value))
                {
                    var shownColumn = heading is null || Detector.Finds(heading) ? column : heading;
                    return Found(
                        $"{shown}:{reference[column.Length..]}",
                        $"sheet {Detector.Shown(Path.GetFileNameWithoutExtension(sheet.FullName))}, column {shownColumn}");
                }
                headings.TryAdd(column, value);
            }
        }
        return null;
    }

    private static XmlReaderSettings Settings =>
        new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = LargestMember };

    private static string Content(XmlReader reader)
    {
        var text = new StringBuilder();
        var depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth)
        {
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace)
                text.Append(reader.Value);
        }
        return text.ToString();
    }

    private static List<string> Texts(ZipArchiveEntry entry, string element)
    {
        using var content = entry.Open();
        using var reader = XmlReader.Create(content, Settings);
        var texts = new List<string>();
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.Element && reader.LocalName == element)
                texts.Add(reader.IsEmptyElement ? "" : Content(reader));
        }
        return texts;
    }
}
