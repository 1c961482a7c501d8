using System.IO.Compression;
using System.Text;
using AuditCli.Collectors.Files;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Files;

/// <summary>Checks that a credential in an input file is found in every file format, and that its place is named.</summary>
public sealed class InputSearchTests : IDisposable
{
    private const string Secret = "password = MARKER1!";
    private const string Hidden = "GDLmkhhb284%";
    private static readonly string Token = "ghp_" + new string('M', 28) + "ARKER123";
    private static readonly string Encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes("password=Hunter2!x"));
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("x.txt", "x.txt:2")]
    [InlineData("utf16le.txt", "utf16le.txt:2")]
    [InlineData("utf16be.txt", "utf16be.txt:2")]
    [InlineData("unmarked.txt", "unmarked.txt:2")]
    [InlineData("x.zip", "x.zip: notes/a.txt:2")]
    [InlineData("nested.zip", "nested.zip: inner.zip: notes/a.txt:2")]
    [InlineData("x.txt.gz", "x.txt.gz:2")]
    public void A_text_is_searched_in_every_encoding_and_inside_of_archives(string file, string place)
    {
        const string Text = "nothing here\nsee " + Secret + "\n";
        byte[] content = file switch
        {
            "utf16le.txt" => [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Text)],
            "utf16be.txt" => [.. Encoding.BigEndianUnicode.Preamble, .. Encoding.BigEndianUnicode.GetBytes(Text)],
            "unmarked.txt" => Encoding.Unicode.GetBytes(Text),
            "x.zip" => Zip(("notes/a.txt", Encoding.UTF8.GetBytes(Text))),
            "nested.zip" => Zip(("inner.zip", Zip(("notes/a.txt", Encoding.UTF8.GetBytes(Text))))),
            "x.txt.gz" => Gzip(Encoding.UTF8.GetBytes(Text)),
            _ => Encoding.UTF8.GetBytes(Text),
        };
        Assert.Equal(
            $"inputs/{place}: holds what looks like a credential; remove it, or use --allow-secrets, which the bundle records",
            Assert.Single(Check(file, content)));
    }

    [Theory]
    [InlineData("User name,Password\nledger,hunterxyz\n", 2, "Password")]
    [InlineData("User name,Access key ID,Secret access key\nledger,AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n", 2, "Secret access key")]
    [InlineData("id;api_key\n1;none\n2;abcdef123456\n", 3, "api_key")]
    [InlineData("id\ttoken\n1\t\"abc123def456\"\n", 2, "token")]
    [InlineData("id,note\n1,\"two\nlines\"\n2,cGFzc3dvcmQ9SHVudGVyMiE=\n", 4, "note")]
    public void A_column_whose_heading_says_what_it_holds_is_searched_by_it(string csv, int row, string column) =>
        Assert.StartsWith(
            $"inputs/x.csv:{row}: holds what looks like a credential (column {column});",
            Assert.Single(Check("x.csv", Encoding.UTF8.GetBytes(csv))), StringComparison.Ordinal);

    [Theory]
    [InlineData("Users", "Secret access key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")]
    [InlineData("Users", "note", "see password=Hunter2! below")]
    public void A_cell_of_a_workbook_is_named_by_sheet_row_and_column(string name, string heading, string value)
    {
        var book = Zip(
            ("xl/workbook.xml", Encoding.UTF8.GetBytes($"<workbook><sheets><sheet name=\"{name}\"/></sheets></workbook>")),
            ("xl/sharedStrings.xml",
                Encoding.UTF8.GetBytes(
                    $"<sst><si><t>user</t></si><si><r><t>{heading[..2]}</t></r><r><t>{heading[2..]}</t></r></si><si><t>ledger</t></si>"
                    + $"<si><t>{value}</t></si></sst>")),
            ("xl/worksheets/sheet1.xml", Encoding.UTF8.GetBytes(
                "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>"
                + "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>2</v></c><c r=\"B2\" t=\"s\"><v>3</v></c></row></sheetData></worksheet>")));
        Assert.StartsWith(
            $"inputs/x.xlsx:2: holds what looks like a credential (sheet sheet1, column {heading});", Assert.Single(Check("x.xlsx", book)),
            StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Printed => new()
    {
        { $"id,{Token}\n1,{Token}\n", Token },
        { $"id,{Token}\n1,see password=MARKER1!\n", Token },
        { $"id,note\n1,{Token}\n", Token },
        { $"{Token}\n", Token },
        { $"id,password={Hidden}\n1,x\n", Hidden },
        { $"id,{Encoded}\n1,password=Hunter2!\n", Encoded },
    };

    [Theory]
    [MemberData(nameof(Printed))]
    public void No_refusal_prints_the_credential_even_if_it_is_a_heading(string csv, string secret)
    {
        var fault = Assert.Single(Check("x.csv", Encoding.UTF8.GetBytes(csv)));
        Assert.StartsWith("inputs/x.csv:", fault, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void No_refusal_prints_a_credential_in_the_name_of_an_archives_member()
    {
        var fault = Assert.Single(Check("x.zip", Zip(($"notes/{Token}.txt", Encoding.UTF8.GetBytes(Secret)))));
        Assert.Equal(
            "inputs/x.zip: notes/(a credential).txt:1: holds what looks like a credential; remove it, or use --allow-secrets, which the bundle records",
            fault);
    }

    [Theory]
    [InlineData("setting,value\nDB_HOST,ledger.internal\nDB_PASSWORD,PCKgtfli552#\n", 3)]
    [InlineData("value;environment;name\nPCKgtfli552#;prod;db-password\n", 2)]
    [InlineData("Name,Current value\npassword,hunterxyz\n", 2)]
    [InlineData("DB_HOST,ledger.internal\nDB_PASSWORD,PCKgtfli552#\n", 2)]
    public void A_row_that_names_a_secret_and_holds_it_is_refused(string csv, int row)
    {
        var fault = Assert.Single(Check("x.csv", Encoding.UTF8.GetBytes(csv)));
        Assert.StartsWith($"inputs/x.csv:{row}: holds what looks like a credential", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("PCKgtfli552#", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("setting,value\npassword_policy,Strong2026\ntoken_type,Bearer2X\nDB_PASSWORD,required\npassword_env,TICKETS_PASSWORD\n")]
    [InlineData("setting,owner\npassword,jweber2\ntoken,CHG-123456789012\n")]
    [InlineData("user,password_enabled,password_last_changed\nledger,true,2026-11-13T08:05:00Z\n")]
    [InlineData("user,password\nledger,none\nother,\nthird,********\n")]
    [InlineData("secret,owner\nledger-db-credentials,elena.marsh\n")]
    public void A_register_about_secrets_is_no_secret(string csv) => Assert.Empty(Check("x.csv", Encoding.UTF8.GetBytes(csv)));

    [Fact]
    public void What_cannot_be_searched_is_refused_by_name() =>
        Assert.StartsWith(
            "inputs/x.zip: cannot be searched for credentials: ",
            Assert.Single(Check("x.zip", Zip(("a.zip", Zip(("b.zip", Zip(("c.zip", Zip(("d.txt", "x"u8.ToArray())))))))))),
            StringComparison.Ordinal);

    private string[] Check(string name, byte[] content)
    {
        var path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, content);
        return [.. InputCheck.Of([], [new("x", path, null, "inputs/" + name)], allowSecrets: false, CancellationToken.None).Faults];
    }

    private static byte[] Zip(params (string Name, byte[] Content)[] members)
    {
        using var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in members)
            {
                using var member = archive.CreateEntry(name).Open();
                member.Write(content);
            }
        }
        return packed.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(content);
        return packed.ToArray();
    }
}
