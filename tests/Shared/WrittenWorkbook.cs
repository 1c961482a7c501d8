using System.IO.Compression;

namespace AuditCli.Tests;

/// <summary>Writes workbooks part by part, with whatever a spreadsheet program would not write.</summary>
public static class WrittenWorkbook
{
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    /// <param name="sheets">For each sheet its name, more attributes of its entry, and its content. Style 1 is a date.</param>
    /// <param name="shared">The items of the shared texts.</param>
    public static byte[] Of((string Name, string Attributes, string Content)[] sheets, string shared = "", bool is1904 = false)
    {
        var workbook = new MemoryStream();
        using (var archive = new ZipArchive(workbook, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string name, string content)
            {
                using var writer = new StreamWriter(archive.CreateEntry(name, CompressionLevel.NoCompression).Open());
                writer.Write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + content);
            }
            var numbers = Enumerable.Range(1, sheets.Length).ToArray();
            const string Types = "application/vnd.openxmlformats-officedocument.spreadsheetml.";
            Add("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
                + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
                + $"<Override PartName=\"/xl/workbook.xml\" ContentType=\"{Types}sheet.main+xml\"/>"
                + $"<Override PartName=\"/xl/styles.xml\" ContentType=\"{Types}styles+xml\"/>"
                + $"<Override PartName=\"/xl/sharedStrings.xml\" ContentType=\"{Types}sharedStrings+xml\"/>"
                + string.Concat(numbers.Select(n =>
                    $"<Override PartName=\"/xl/worksheets/sheet{n}.xml\" ContentType=\"{Types}worksheet+xml\"/>")) + "</Types>");
            const string Package = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
            Add("_rels/.rels", $"{Package}<Relationship Id=\"r\" Type=\"{Relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>");
            Add("xl/_rels/workbook.xml.rels", Package
                + string.Concat(numbers.Select(n => $"<Relationship Id=\"s{n}\" Type=\"{Relations}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"))
                + $"<Relationship Id=\"st\" Type=\"{Relations}/styles\" Target=\"styles.xml\"/>"
                + $"<Relationship Id=\"ss\" Type=\"{Relations}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>");
            Add("xl/workbook.xml", $"<workbook xmlns=\"{Main}\" xmlns:r=\"{Relations}\"><workbookPr date1904=\"{(is1904 ? 1 : 0)}\"/><sheets>"
                + string.Concat(numbers.Select(n => $"<sheet name=\"{sheets[n - 1].Name}\" sheetId=\"{n}\"{sheets[n - 1].Attributes} r:id=\"s{n}\"/>"))
                + "</sheets></workbook>");
            Add("xl/styles.xml", $"<styleSheet xmlns=\"{Main}\">"
                + "<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"[$-409]dd\\-mmm\\-yyyy;@\"/></numFmts>"
                + "<cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>");
            Add("xl/sharedStrings.xml", $"<sst xmlns=\"{Main}\">{shared}</sst>");
            foreach (var n in numbers)
                Add($"xl/worksheets/sheet{n}.xml", $"<worksheet xmlns=\"{Main}\">{sheets[n - 1].Content}</worksheet>");
        }
        return workbook.ToArray();
    }
}
