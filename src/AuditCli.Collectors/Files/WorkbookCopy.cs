using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using DocumentFormat.OpenXml.Spreadsheet;
using Column = AuditCli.Evidence.Column;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Copies what is read of a workbook: the cells of one sheet with their formulas and formats, and the names of the other sheets. Nothing else
/// is copied, because a personal value may also stand in a comment, a filter, a hidden sheet, a pivot table or among the shared texts.
/// </summary>
internal static partial class WorkbookCopy
{
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Package = "http://schemas.openxmlformats.org/package/2006/relationships";
    private const string ContentTypes = "http://schemas.openxmlformats.org/package/2006/content-types";
    private const string ContentType = "application/vnd.openxmlformats-officedocument.spreadsheetml";

    /// <summary>The date of every member: equal workbooks have equal bytes.</summary>
    private static readonly DateTimeOffset Earliest = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the copy.</summary>
    /// <param name="columns">The columns of which each value is replaced.</param>
    /// <param name="replaced">Returns what stands in the place of a value.</param>
    /// <exception cref="InvalidDataException">The file is no workbook, or has no such sheet or column.</exception>
    public static void Write(SuppliedInput input, Stream target, ImmutableSortedSet<string> columns, Func<string, string> replaced)
    {
        using var source = WorkbookInput.Open(input.Path, input.Shown, input.Layout.Sheet, [.. columns.Select(c => new Column(c, ColumnType.Text))]);
        using var archive = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true);
        var sheets = source.Sheets.ToArray();
        Part(archive, "[Content_Types].xml", xml =>
        {
            xml.WriteStartElement("Types", ContentTypes);
            Element(xml, ContentTypes, "Default", ("Extension", "rels"), ("ContentType", "application/vnd.openxmlformats-package.relationships+xml"));
            Override(xml, "/xl/workbook.xml", "sheet.main");
            Override(xml, "/xl/styles.xml", "styles");
            foreach (var n in Enumerable.Range(1, sheets.Length))
                Override(xml, $"/xl/worksheets/sheet{n}.xml", "worksheet");
        });
        Part(archive, "_rels/.rels", xml =>
        {
            xml.WriteStartElement("Relationships", Package);
            Relation(xml, "r1", "officeDocument", "xl/workbook.xml");
        });
        Part(archive, "xl/workbook.xml", xml => Workbook(xml, source, sheets));
        Part(archive, "xl/_rels/workbook.xml.rels", xml =>
        {
            xml.WriteStartElement("Relationships", Package);
            Relation(xml, "styles", "styles", "styles.xml");
            foreach (var n in Enumerable.Range(1, sheets.Length))
                Relation(xml, $"s{n}", "worksheet", $"worksheets/sheet{n}.xml");
        });
        Styles(archive, source);
        foreach (var (n, (_, _, isRead)) in sheets.Index())
            Part(archive, $"xl/worksheets/sheet{n + 1}.xml", xml => Worksheet(xml, isRead ? source : null, replaced));
    }

    private static void Workbook(XmlWriter xml, WorkbookInput source, (string Name, string? State, bool IsRead)[] sheets)
    {
        xml.WriteStartElement("workbook", Main);
        xml.WriteAttributeString("xmlns", "r", null, Relations);
        Element(xml, Main, "workbookPr", ("date1904", source.Values.Is1904 ? "1" : null));
        xml.WriteStartElement("sheets", Main);
        foreach (var (n, (name, state, _)) in sheets.Index())
        {
            xml.WriteStartElement("sheet", Main);
            xml.WriteAttributeString("name", name);
            xml.WriteAttributeString("sheetId", Text(n + 1));
            if (state is not null)
                xml.WriteAttributeString("state", state);
            xml.WriteAttributeString("id", Relations, $"s{n + 1}");
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        // Formulas may refer to sheets whose cells are not here, so a program that computed them again would show other values.
        Element(xml, Main, "calcPr", ("calcMode", "manual"), ("calcOnSave", "0"));
    }

    /// <param name="source">The sheet that is read; null for another one, of which nothing is copied.</param>
    private static void Worksheet(XmlWriter xml, WorkbookInput? source, Func<string, string> replaced)
    {
        xml.WriteStartElement("worksheet", Main);
        if (source is null)
        {
            Element(xml, Main, "sheetData");
            return;
        }
        using var rows = source.Stored().GetEnumerator();
        var any = rows.MoveNext();
        if (source.HiddenRanges.Count > 0)
        {
            xml.WriteStartElement("cols", Main);
            foreach (var (from, to) in source.HiddenRanges)
                Element(xml, Main, "col", ("min", Text(from + 1)), ("max", Text(to + 1)), ("hidden", "1"));
            xml.WriteEndElement();
        }
        xml.WriteStartElement("sheetData", Main);
        for (var isHeader = true; any; isHeader = false, any = rows.MoveNext())
        {
            var (line, cells, isHidden) = rows.Current;
            xml.WriteStartElement("row", Main);
            xml.WriteAttributeString("r", Text(line));
            if (isHidden)
                xml.WriteAttributeString("hidden", "1");
            foreach (var (column, cell) in cells)
            {
                var place = $"{WorkbookCells.ColumnName(column)}{Text(line)}";
                if (!isHeader && source.Fields.Contains(column))
                    Personal(xml, place, source.Values.Read(cell, new("", ColumnType.Text)), replaced);
                else
                    Other(xml, place, cell, source.Values);
            }
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        if (source.Merged.Count == 0)
            return;
        xml.WriteStartElement("mergeCells", Main);
        foreach (var range in source.Merged)
            Element(xml, Main, "mergeCell", ("ref", range));
        xml.WriteEndElement();
    }

    /// <summary>Writes a cell of a personal column; one that cannot be read is an error in the copy too, so that the table is as incomplete.</summary>
    private static void Personal(XmlWriter xml, string place, InputCell read, Func<string, string> replaced)
    {
        if (read.Text is { } text)
            Inline(xml, place, null, replaced(text), null);
        else if (read.Fault is not null)
            Value(xml, place, null, "e", "#VALUE!", null);
    }

    private static void Other(XmlWriter xml, string place, Cell cell, WorkbookCells values)
    {
        var (stored, text, style) = (cell.DataType?.Value ?? CellValues.Number, values.TextOf(cell), cell.StyleIndex?.InnerText);
        if (stored == CellValues.SharedString || stored == CellValues.InlineString)
            Inline(xml, place, style, text ?? "", cell.CellFormula);
        else
            Value(xml, place, style, cell.DataType?.InnerText, stored == CellValues.String && text is not null ? Escaped(text) : text, cell.CellFormula);
    }

    private static void Inline(XmlWriter xml, string place, string? style, string text, CellFormula? formula)
    {
        Cell(xml, place, style, "inlineStr", formula);
        xml.WriteStartElement("is", Main);
        xml.WriteStartElement("t", Main);
        xml.WriteAttributeString("xml", "space", null, "preserve");
        xml.WriteString(Escaped(text));
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void Value(XmlWriter xml, string place, string? style, string? type, string? text, CellFormula? formula)
    {
        Cell(xml, place, style, type, formula);
        if (text is not null)
            xml.WriteElementString("v", Main, text);
        xml.WriteEndElement();
    }

    private static void Cell(XmlWriter xml, string place, string? style, string? type, CellFormula? formula)
    {
        xml.WriteStartElement("c", Main);
        xml.WriteAttributeString("r", place);
        if (style is not null)
            xml.WriteAttributeString("s", style);
        if (type is not null)
            xml.WriteAttributeString("t", type);
        if (formula is null)
            return;
        xml.WriteStartElement("f", Main);
        (string, string?)[] attributes = [("t", formula.FormulaType?.InnerText), ("ref", formula.Reference?.Value), ("si", formula.SharedIndex?.InnerText)];
        foreach (var (name, value) in attributes)
        {
            if (value is not null)
                xml.WriteAttributeString(name, value);
        }
        xml.WriteString(formula.Text);
        xml.WriteEndElement();
    }

    private static void Styles(ZipArchive archive, WorkbookInput source)
    {
        if (source.Styles is not { } styles)
        {
            Part(archive, "xl/styles.xml", xml => xml.WriteStartElement("styleSheet", Main));
            return;
        }
        using (styles)
        using (var part = Entry(archive, "xl/styles.xml"))
            styles.CopyTo(part);
    }

    private static void Part(ZipArchive archive, string name, Action<XmlWriter> content)
    {
        using var part = Entry(archive, name);
        using var xml = XmlWriter.Create(part, new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) });
        xml.WriteStartDocument();
        content(xml);
        xml.WriteEndDocument();
    }

    /// <summary>Returns a new member, which is stored and not compressed: compressed bytes may differ between versions of .NET.</summary>
    private static Stream Entry(ZipArchive archive, string name)
    {
        var entry = archive.CreateEntry(name, CompressionLevel.NoCompression);
        entry.LastWriteTime = Earliest;
        return entry.Open();
    }

    private static void Override(XmlWriter xml, string part, string type) =>
        Element(xml, ContentTypes, "Override", ("PartName", part), ("ContentType", ContentType + "." + type + "+xml"));

    private static void Relation(XmlWriter xml, string id, string type, string to) =>
        Element(xml, Package, "Relationship", ("Id", id), ("Type", Relations + "/" + type), ("Target", to));

    private static void Element(XmlWriter xml, string space, string name, params (string Name, string? Value)[] attributes)
    {
        xml.WriteStartElement(name, space);
        foreach (var (attribute, value) in attributes)
        {
            if (value is not null)
                xml.WriteAttributeString(attribute, value);
        }
        xml.WriteEndElement();
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Escapes what XML cannot hold, and what would be read as such an escape (ST_Xstring, ISO/IEC 29500-1, 22.9.2.19).</summary>
    private static string Escaped(string text) => Unwritable.Replace(text, m => $"_x{(int)m.Value[0]:X4}_");

    [GeneratedRegex(
        @"_(?=x[0-9A-Fa-f]{4}_)|[\0-\x08\x0B-\x1F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]",
        RegexOptions.CultureInvariant)]
    private static partial Regex Unwritable { get; }
}
