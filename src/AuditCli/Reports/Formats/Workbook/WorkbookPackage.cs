using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Spreadsheet;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>
/// Writes the parts of a workbook to a ZIP archive (ECMA-376, part 2), each once, in a fixed order and with a fixed time, so that equal
/// content gives equal bytes. The package classes of the SDK hold every sheet in memory until the end and set the time of each entry, so
/// only the SDK's writer and elements are used.
/// </summary>
internal sealed class WorkbookPackage : IDisposable
{
    private const int LongestName = 31;
    private const string Main = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Relations = "http://schemas.openxmlformats.org/package/2006/relationships";
    private static readonly DateTimeOffset EntryTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ZipArchive _zip;
    private readonly List<(string Name, string? Filter, int FrozenRows)> _sheets = [];

    public WorkbookPackage(Stream output) => _zip = new(output, ZipArchiveMode.Create, leaveOpen: true);

    /// <summary>Writes the next sheet.</summary>
    /// <param name="name">A result of <see cref="Name"/>.</param>
    public void Sheet(string name, SheetForm form, Action<SheetWriter> write)
    {
        using var stream = Open($"xl/worksheets/sheet{_sheets.Count + 1}.xml");
        var sheet = new SheetWriter(stream, form with { Active = _sheets.Count == 0 });
        write(sheet);
        sheet.Dispose();
        _sheets.Add((name, sheet.Filter, form.FrozenRows));
    }

    /// <summary>Returns a valid sheet name that is not taken yet, and marks it as taken.</summary>
    public static string Name(string wished, string ending, ISet<string> taken)
    {
        var plain = string.Concat(wished.Select(c => char.IsControl(c) || "[]:*?/\\'".Contains(c, StringComparison.Ordinal) || c > '~' ? '_' : c)).Trim();
        for (var number = 1; ; number++)
        {
            var end = (number == 1 ? "" : $" ({number.ToString(CultureInfo.InvariantCulture)})") + ending;
            var name = plain[..Math.Min(plain.Length, LongestName - end.Length)] + end;
            if (name.Length > 0 && taken.Add(name.ToUpperInvariant()))
                return name;
        }
    }

    /// <summary>Quotes a sheet's name for references.</summary>
    public static string Quote(string sheet) => $"'{sheet.Replace("'", "''", StringComparison.Ordinal)}'";

    public void Dispose()
    {
        Element("xl/styles.xml", WorkbookStyles.Sheet());
        Element("xl/workbook.xml", Book());
        Part("xl/_rels/workbook.xml.rels", "Relationships", Relations, xml =>
        {
            for (var i = 1; i <= _sheets.Count; i++)
                Relation(xml, $"s{i}", $"{Office}/worksheet", $"worksheets/sheet{i}.xml");
            Relation(xml, "styles", $"{Office}/styles", "styles.xml");
        });
        Part("_rels/.rels", "Relationships", Relations, xml => Relation(xml, "book", $"{Office}/officeDocument", "xl/workbook.xml"));
        Part("[Content_Types].xml", "Types", "http://schemas.openxmlformats.org/package/2006/content-types", xml =>
        {
            Type(xml, "Default", "Extension", "rels", "application/vnd.openxmlformats-package.relationships+xml");
            Type(xml, "Default", "Extension", "xml", "application/xml");
            Type(xml, "Override", "PartName", "/xl/workbook.xml", $"{Main}.sheet.main+xml");
            Type(xml, "Override", "PartName", "/xl/styles.xml", $"{Main}.styles+xml");
            for (var i = 1; i <= _sheets.Count; i++)
                Type(xml, "Override", "PartName", $"/xl/worksheets/sheet{i}.xml", $"{Main}.worksheet+xml");
        });
        _zip.Dispose();
    }

    private DocumentFormat.OpenXml.Spreadsheet.Workbook Book()
    {
        var sheets = new Sheets();
        var names = new DefinedNames();
        for (var i = 0; i < _sheets.Count; i++)
        {
            var (name, filter, frozen) = _sheets[i];
            sheets.Append(new Sheet { Name = name, SheetId = (uint)i + 1, Id = $"s{i + 1}" });
            if (filter is not null)
            {
                names.Append(new DefinedName($"{Quote(name)}!{Absolute(filter)}")
                {
                    Name = "_xlnm._FilterDatabase",
                    LocalSheetId = (uint)i,
                    Hidden = true,
                });
            }
            if (frozen > 0)
                names.Append(new DefinedName($"{Quote(name)}!$1:${frozen}") { Name = "_xlnm.Print_Titles", LocalSheetId = (uint)i });
        }
        var book = new DocumentFormat.OpenXml.Spreadsheet.Workbook(new BookViews(new WorkbookView { ActiveTab = 0, TabRatio = 800 }), sheets);
        if (names.HasChildren)
            book.Append(names);
        return book;
    }

    /// <summary>Converts <c>A2:F9</c> to <c>$A$2:$F$9</c>.</summary>
    private static string Absolute(string range) => string.Join(':', range.Split(':').Select(cell =>
    {
        var letters = cell.AsSpan().IndexOfAnyInRange('0', '9');
        return $"${cell[..letters]}${cell[letters..]}";
    }));

    private Stream Open(string name)
    {
        var entry = _zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = EntryTime;
        return entry.Open();
    }

    private void Element(string name, OpenXmlElement root)
    {
        using var stream = Open(name);
        using var xml = OpenXmlWriter.Create(stream, new UTF8Encoding(false));
        xml.WriteStartDocument(true);
        xml.WriteElement(root);
    }

    private void Part(string name, string root, string space, Action<XmlWriter> write)
    {
        using var stream = Open(name);
        using var xml = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(false) });
        xml.WriteStartDocument(standalone: true);
        xml.WriteStartElement(root, space);
        write(xml);
        xml.WriteEndElement();
    }

    private static void Relation(XmlWriter xml, string id, string type, string target)
    {
        xml.WriteStartElement("Relationship", Relations);
        xml.WriteAttributeString("Id", id);
        xml.WriteAttributeString("Type", type);
        xml.WriteAttributeString("Target", target);
        xml.WriteEndElement();
    }

    private static void Type(XmlWriter xml, string element, string by, string value, string type)
    {
        xml.WriteStartElement(element, "http://schemas.openxmlformats.org/package/2006/content-types");
        xml.WriteAttributeString(by, value);
        xml.WriteAttributeString("ContentType", type);
        xml.WriteEndElement();
    }
}
