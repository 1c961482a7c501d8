using System.Collections.Immutable;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Files;

/// <summary>Checks that a workbook gives what its reader sees, and that what a spreadsheet hides, rounds or cannot hold is said.</summary>
public sealed class WorkbookInputTests : IDisposable
{
    private const string Date = " s=\"1\"";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("<c r=\"A2\"><v>46053.5</v></c>", ColumnType.Date, Date, "is a date with a time of day")]
    [InlineData("<c r=\"A2\"><v>59</v></c>", ColumnType.Date, Date, "is a date that spreadsheets count in different ways")]
    [InlineData("<c r=\"A2\"><v>46053</v></c>", ColumnType.Date, "", "is a number without the format of a date")]
    [InlineData("<c r=\"A2\"><v>46053</v></c>", ColumnType.Text, Date, "is a date of the spreadsheet; declare the column as date, or format the cells as text")]
    [InlineData("<c r=\"A2\"><v>46053.4</v></c>", ColumnType.Timestamp, Date,
        "is a date of the spreadsheet, which has no time zone; write it as a text such as 2026-01-31T09:00:00Z")]
    [InlineData("<c r=\"A2\" t=\"inlineStr\"><is><t>31/01/2026</t></is></c>", ColumnType.Date, "", "is not a day (yyyy-MM-dd)")]
    [InlineData("<c r=\"A2\" t=\"e\"><v>#DIV/0!</v></c>", ColumnType.Decimal, "", "holds the error #DIV/0!")]
    [InlineData("<c r=\"A2\"><f>NOW()</f></c>", ColumnType.Decimal, "", "holds a formula that was never calculated")]
    [InlineData("<c r=\"A2\"><v>1234567890123456789</v></c>", ColumnType.Integer, "", "has more than the 15 digits that a spreadsheet keeps; store it as text")]
    public void A_cell_that_cannot_be_read_without_a_guess_does_not_fit(string cell, ColumnType type, string style, string misfit)
    {
        var input = Workbook(Sheet("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>x</t></is></c></row><row r=\"2\">"
            + cell.Replace("<c ", $"<c{style} ", StringComparison.Ordinal) + "</row>"));
        var (faults, remarks) = Check(input, new Column("x", type));
        Assert.Empty(faults);
        Assert.Contains($"inputs/list.xlsx:2: x {misfit}; tests that depend on it are inconclusive", remarks);
    }

    [Theory]
    [InlineData("<v>1.1000000000000001</v>", "1.1")]
    [InlineData("<v>0.30000000000000004</v>", "0.3")]
    [InlineData("<v>45000.150000000001</v>", "45000.15")]
    [InlineData("<v>1E-5</v>", "0.00001")]
    [InlineData("<v>999999999999999</v>", "999999999999999")]
    public void A_number_is_what_the_spreadsheet_shows(string value, string read) => Assert.Equal(
        [$"{{\"x\":{read}}}"], Rows(Workbook(Sheet($"{Head("x")}<row r=\"2\"><c r=\"A2\">{value}</c></row>")), new Column("x", ColumnType.Decimal)));

    [Theory]
    [InlineData("<v>0.30000000000000004</v>", "has more than the 15 digits that a spreadsheet shows; store it as text")]
    [InlineData("<v>1234567890123456</v>", "has more than the 15 digits that a spreadsheet keeps; store it as text")]
    [InlineData("<v>1.15792089237316E+77</v>", "has more than the 15 digits that a spreadsheet keeps; store it as text")]
    public void A_number_of_which_a_spreadsheet_shows_not_every_digit_is_no_exact_number(string value, string misfit)
    {
        var input = Workbook(Sheet($"{Head("x")}<row r=\"2\"><c r=\"A2\">{value}</c></row>"));
        foreach (var column in (Column[])[new("x", ColumnType.Whole), new("x", ColumnType.Decimal) { Scale = 18 }])
        {
            Assert.Equal($"inputs/list.xlsx:2: x {misfit}; tests that depend on it are inconclusive", Assert.Single(Check(input, column).Remarks));
            Assert.Equal(["{}"], Rows(input, column));
        }
    }

    [Theory]
    [InlineData("<c r=\"A2\"><v>45000.150000000001</v></c>", "45000.15")]
    [InlineData("<c r=\"A2\" t=\"inlineStr\"><is><t>12345678901234567890.123456789012345678</t></is></c>", "12345678901234567890.123456789012345678")]
    public void An_exact_number_is_read_from_a_text_or_from_a_number_that_is_shown_whole(string cell, string read) => Assert.Equal(
        [$"{{\"x\":\"{read}\"}}"],
        Rows(Workbook(Sheet($"{Head("x")}<row r=\"2\">{cell}</row>")), new Column("x", ColumnType.Decimal) { Scale = 18 }));

    [Theory]
    [InlineData(false, "46053", "2026-01-31")]
    [InlineData(true, "44591", "2026-01-31")]
    [InlineData(false, "61", "1900-03-01")]
    public void A_date_is_counted_by_the_workbooks_own_system(bool is1904, string days, string day) => Assert.Equal(
        [$"{{\"x\":\"{day}\"}}"],
        Rows(
            Workbook(Sheet($"{Head("x")}<row r=\"2\"><c r=\"A2\"{Date}><v>{days}</v></c></row>"), is1904: is1904), new Column("x", ColumnType.Date)));

    [Fact]
    public void What_the_rows_do_not_show_is_said()
    {
        var sheet = "<cols><col min=\"2\" max=\"2\" hidden=\"1\" width=\"1\"/></cols><sheetData>" + Head("x", "y")
            + "<row r=\"2\"><c r=\"A2\"><f>1+1</f><v>2</v></c><c r=\"B2\"><v>5</v></c></row>"
            + "<row r=\"4\" hidden=\"1\"><c r=\"A4\"><v>0.30000000000000004</v></c></row></sheetData>"
            + "<mergeCells count=\"1\"><mergeCell ref=\"A4:B4\"/></mergeCells>";
        var input = Workbook(("Data", "", sheet), ("Notes", " state=\"hidden\"", "<sheetData/>"));
        var columns = ImmutableArray.Create(new Column("x", ColumnType.Decimal), new Column("y", ColumnType.Integer));
        Assert.Equal(["{\"x\":2,\"y\":5}", "{}", "{\"x\":0.3}"], Rows(input, columns));
        Assert.Equal(
            [
                "inputs/list.xlsx, sheet Data: 1 cells hold formulas; the values that were last calculated are read",
                "inputs/list.xlsx, sheet Data: 1 numbers are rounded to 15 digits, the most that spreadsheets show",
                "inputs/list.xlsx, sheet Data: 1 hidden rows are read too",
                "inputs/list.xlsx, sheet Data: hidden columns are read too: 'y'",
                "inputs/list.xlsx, sheet Data: 1 merged ranges; only the first cell of each has a value",
                "inputs/list.xlsx, sheet Data: the workbook has hidden sheets, which are not read: 'Notes'",
            ],
            Check(input, columns).Remarks);
    }

    [Fact]
    public void Texts_are_read_without_phonetic_guides_and_with_the_characters_that_xml_cannot_hold()
    {
        var shared = "<si><r><t>Ana </t></r><r><t>Li_x0041_</t></r><rPh sb=\"0\" eb=\"1\"><t>guide</t></rPh></si>";
        var input = Workbook(Sheet($"{Head("x")}<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c></row>"), shared: shared);
        Assert.Equal(["{\"x\":\"Ana LiA\"}"], Rows(input, new Column("x", ColumnType.Text)));
    }

    [Fact]
    public void A_sheet_is_named_where_several_are_visible()
    {
        (string, string, string)[] sheets =
        [
            ("Leavers", "", $"<sheetData>{Head("x")}<row r=\"2\"><c r=\"A2\"><v>1</v></c></row></sheetData>"),
            ("Joiners", "", $"<sheetData>{Head("x")}</sheetData>"),
        ];
        var column = new Column("x", ColumnType.Integer);
        Assert.Equal(
            ["inputs/list.xlsx: the workbook has 2 visible sheets; name the one to read with 'sheet': 'Leavers', 'Joiners'"],
            Check(Workbook(sheets), column).Faults);
        Assert.Equal(["{\"x\":1}"], Rows(Workbook(sheets) with { Layout = new("Leavers", null) }, column));
        Assert.Equal(
            ["inputs/list.xlsx: the workbook has no sheet 'Movers'; it has 'Leavers', 'Joiners'"],
            Check(Workbook(sheets) with { Layout = new("Movers", null) }, column).Faults);
    }

    [Theory]
    [InlineData("", "inputs/list.xlsx, sheet Data: the sheet is empty; its first row must name the columns")]
    [InlineData(
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>",
        "inputs/list.xlsx, sheet Data:1: no column 'x'; none of its 1 column has a declared name: is there a header?")]
    [InlineData("HEAD<row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"C2\"><v>1</v></c></row>",
        "inputs/list.xlsx, sheet Data:2: C2 has a value, and its column has no heading")]
    [InlineData("HEAD<row r=\"2\"><c r=\"A2\" t=\"s\"><v>9</v></c></row>", "cell A2 names text number 9, which the workbook does not have")]
    [InlineData("HEAD<row r=\"3\"><c r=\"A3\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\"><v>1</v></c></row>",
        "inputs/list.xlsx, sheet Data:2: row 2 comes after row 3")]
    public void A_sheet_that_is_no_table_is_a_fault_with_its_place(string rows, string fault) => Assert.Contains(
        fault,
        Assert.Single(Check(Workbook(Sheet(rows.Replace("HEAD", Head("x"), StringComparison.Ordinal))), new Column("x", ColumnType.Integer)).Faults),
        StringComparison.Ordinal);

    [Fact]
    public void A_workbook_with_a_password_is_named_as_such()
    {
        var path = Path.Combine(_folder.Path, "list.xlsx");
        File.WriteAllBytes(path, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, .. new byte[512]]);
        Assert.Contains(
            "inputs/list.xlsx: has a password, or the old .xls format; save it as .xlsx without a password",
            Check(new("list", path, null, "inputs/list.xlsx"), new Column("x", ColumnType.Integer)).Faults);
    }

    private static string Head(params string[] names) =>
        "<row r=\"1\">" + string.Concat(names.Select((n, i) => $"<c r=\"{(char)('A' + i)}1\" t=\"inlineStr\"><is><t>{n}</t></is></c>")) + "</row>";

    private static (string, string, string) Sheet(string rows) => ("Data", "", $"<sheetData>{rows}</sheetData>");

    private SuppliedInput Workbook((string, string, string) sheet, string shared = "", bool is1904 = false) => Workbook([sheet], shared, is1904);

    private SuppliedInput Workbook(params (string Name, string Attributes, string Content)[] sheets) => Workbook(sheets, "", false);

    private SuppliedInput Workbook((string Name, string Attributes, string Content)[] sheets, string shared, bool is1904)
    {
        var path = Path.Combine(_folder.Path, "list.xlsx");
        File.WriteAllBytes(path, WrittenWorkbook.Of(sheets, shared, is1904));
        return new("list", path, null, "inputs/list.xlsx");
    }

    private static string[] Rows(SuppliedInput input, params ImmutableArray<Column> columns) =>
        [.. new InputReading(new("k", "list", columns, []), input).Rows(input.Path).Select(r => r.Row.GetRawText())];

    private static (string[] Faults, string[] Remarks) Check(SuppliedInput input, params ImmutableArray<Column> columns)
    {
        var found = InputCheck.Of([new("k", "list", columns, [])], [input], allowSecrets: false, CancellationToken.None);
        return ([.. found.Faults], [.. found.Remarks]);
    }
}
