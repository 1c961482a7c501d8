using System.Text;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Verification;

/// <summary>Ways to tamper with an unsigned bundle, numbered as in the project's tamper list, and the result of verification.</summary>
public sealed class TamperTests : IAsyncLifetime, IDisposable
{
    private const string Csv = "data/inputs/hr/hr.csv";
    private readonly TemporaryFolder _folder = new();
    private string _bundle = "";

    /// <summary>A change to a bundle, and the code that reports it.</summary>
    internal static readonly Dictionary<string, (string Code, Action<string> Tamper)> Cases = new(StringComparer.Ordinal)
    {
        ["F01 bit flip"] = ("CONTENT_MODIFIED", b => Edit(b, Csv, c => [(byte)(c[0] ^ 1), .. c[1..]])),
        ["F02 truncated"] = ("CONTENT_MODIFIED", b => Edit(b, Csv, c => c[..^1])),
        ["F03 appended"] = ("CONTENT_MODIFIED", b => Edit(b, Csv, c => [.. c, 0])),
        ["F04 LF to CRLF"] = ("CONTENT_MODIFIED", b => Edit(b, Csv, c => Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(c).ReplaceLineEndings("\r\n")))),
        ["F05 emptied"] = ("CONTENT_MODIFIED", b => Edit(b, Csv, _ => [])),
        ["F06 removed"] = ("MISSING_FILE", b => File.Delete(At(b, Csv))),
        ["F07 added"] = ("UNEXPECTED_FILE", b => File.WriteAllText(At(b, "data/inputs/hr/more.csv"), "x")),
        ["F08 renamed"] = ("MISSING_FILE", b => File.Move(At(b, Csv), At(b, "data/inputs/hr/other.csv"))),
        ["F09 contents swapped"] = ("CONTENT_MODIFIED", Swap),
        ["F10 hidden file"] = ("UNEXPECTED_FILE", b => File.WriteAllText(At(b, "data/.hidden"), "x")),
        ["F11 empty folder"] = ("UNEXPECTED_FILE", b => Directory.CreateDirectory(At(b, "data/empty"))),
        ["F12 link to an identical copy"] = (
            "SPECIAL_FILE", Steps(b => File.Move(At(b, Csv), b + ".copy"), b => File.CreateSymbolicLink(At(b, Csv), b + ".copy"))),
        ["F13 linked folder"] = (
            "SPECIAL_FILE",
            Steps(b => Directory.Move(At(b, "data/inputs/hr"), b + ".folder"), b => Directory.CreateSymbolicLink(At(b, "data/inputs/hr"), b + ".folder"))),
        ["F14 pipe in place of a file"] = ("SPECIAL_FILE", Steps(b => File.Delete(At(b, Csv)), b => PosixFiles.MakePipe(At(b, Csv)))),
        ["F14 pipe beside the files"] = ("SPECIAL_FILE", b => PosixFiles.MakePipe(At(b, "data/pipe"))),
        ["F14 pipe in place of the manifest"] = (
            "SPECIAL_FILE", Steps(b => File.Delete(At(b, "manifest-sha256.txt")), b => PosixFiles.MakePipe(At(b, "manifest-sha256.txt")))),
        ["F15 twin by case"] = ("UNEXPECTED_FILE", b => File.Copy(At(b, Csv), At(b, "data/inputs/hr/HR.csv"))),
        ["F16 renamed by case"] = ("MISSING_FILE", b => File.Move(At(b, Csv), At(b, "data/inputs/hr/HR.csv"))),
        ["F17 decomposed twin"] = ("UNEXPECTED_FILE", b => File.WriteAllText(At(b, "data/inputs/hr/hr\u0301.csv"), "x")),
        ["F18 file at the root"] = ("UNEXPECTED_FILE", b => File.WriteAllText(At(b, "README.txt"), "x")),
        ["F19 file in attestation"] = (
            "UNEXPECTED_FILE",
            Steps(b => Directory.CreateDirectory(At(b, "attestation")), b => File.WriteAllText(At(b, "attestation/notes.txt"), "x"))),
        ["F20 file became a folder"] = ("MISSING_FILE", Steps(b => File.Delete(At(b, Csv)), b => Directory.CreateDirectory(At(b, Csv)))),
        ["F21 link loop"] = ("SPECIAL_FILE", b => Directory.CreateSymbolicLink(At(b, "data/loop"), At(b, "data"))),
        ["M01 line and file removed"] = (
            "CONTENT_MODIFIED",
            Steps(b => File.Delete(At(b, Csv)), b => EditManifest(b, lines => lines.Where(l => !l.EndsWith(Csv, StringComparison.Ordinal))))),
        ["M02 file and hash edited"] = (
            "CONTENT_MODIFIED",
            Steps(
                b => File.WriteAllText(At(b, Csv), "id\n"),
                b => EditManifest(b, lines => lines.Select(l => l.EndsWith(Csv, StringComparison.Ordinal) ? Samples.Line(b, Csv).TrimEnd() : l)))),
        ["M03 both manifests rewritten over less"] = (
            "STATEMENT_INCONSISTENT", Steps(b => File.Delete(At(b, Csv)), b => Directory.Delete(At(b, "data/inputs/hr")), b => Samples.Reseal(b))),
        ["M04 manifest truncated"] = ("CONTENT_MODIFIED", b => Edit(b, "manifest-sha256.txt", c => c[..^20])),
        ["M05 no tag manifest"] = ("MISSING_FILE", b => File.Delete(At(b, "tagmanifest-sha256.txt"))),
        ["M06 no manifest"] = ("MISSING_FILE", b => File.Delete(At(b, "manifest-sha256.txt"))),
        ["M07 bagit.txt of another version"] = (
            "CONTENT_MODIFIED",
            b => Edit(b, "bagit.txt", c => Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(c).Replace("1.0", "0.97", StringComparison.Ordinal)))),
        ["M07 the same, resealed"] = (
            "TYPE_UNSUPPORTED",
            Steps(b => File.WriteAllText(At(b, "bagit.txt"), "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"), b => Samples.Reseal(b))),
        ["M08 weaker manifest added"] = ("UNEXPECTED_FILE", b => File.WriteAllText(At(b, "manifest-md5.txt"), "x")),
        ["M09 fetch.txt"] = ("UNEXPECTED_FILE", b => File.WriteAllText(At(b, "fetch.txt"), "https://evil.example/ 1 data/x\n")),
        ["G01 parent"] = Listing("MANIFEST_UNSAFE_PATH", "data/../../etc/passwd"),
        ["G02 absolute"] = Listing("MANIFEST_UNSAFE_PATH", "/etc/passwd"),
        ["G03 backslash"] = Listing("MANIFEST_UNSAFE_PATH", "data\\x"),
        ["G04 home"] = Listing("MANIFEST_UNSAFE_PATH", "~/x"),
        ["G05 drive"] = Listing("MANIFEST_UNSAFE_PATH", "C:/x"),
        ["G06 here"] = Listing("MANIFEST_UNSAFE_PATH", "./data/x"),
        ["G07 outside the payload"] = Listing("MANIFEST_UNSAFE_PATH", "bagit.txt"),
        ["G08 empty segment"] = Listing("MANIFEST_MALFORMED", "data//x"),
        ["G09 twice with one hash"] = Manifest("MANIFEST_DUPLICATE", m => m + m.Split('\n')[^2] + "\n"),
        ["G10 twice with another hash"] = Manifest("MANIFEST_DUPLICATE", m => m + new string('0', 64) + m.Split('\n')[^2][64..] + "\n"),
        ["G11 out of order"] = Manifest("MANIFEST_ORDER", m => string.Concat(m.TrimEnd().Split('\n').Reverse().Select(l => l + "\n"))),
        ["G12 upper case"] = Listing("MANIFEST_MALFORMED", "data/X"),
        ["G13 not ASCII"] = Listing("MANIFEST_MALFORMED", "data/\u00e9"),
        ["G14 text direction"] = Listing("MANIFEST_MALFORMED", "data/\u202ecsv.exe"),
        ["G15 upper-case hash"] = Manifest("MANIFEST_MALFORMED", m => m[..64].ToUpperInvariant() + m[64..]),
        ["G16 CRLF"] = Manifest("MANIFEST_MALFORMED", m => m.ReplaceLineEndings("\r\n")),
        ["G17 no last line end"] = Manifest("MANIFEST_MALFORMED", m => m[..^1]),
        ["G18 byte order mark"] = Manifest("MANIFEST_MALFORMED", m => "\u00ef\u00bb\u00bf" + m),
        ["G19 NUL"] = Listing("MANIFEST_MALFORMED", "data/x\0y"),
        ["G20 junk line"] = Manifest("MANIFEST_MALFORMED", m => m + "# comment\n"),
        ["G21 escaped line"] = Manifest("MANIFEST_MALFORMED", m => "\\" + m),
        ["G22 length of MD5"] = Manifest("MANIFEST_MALFORMED", m => m[32..]),
        ["G23 device"] = Listing("MANIFEST_UNSAFE_PATH", "data/con.json"),
        ["G24 point at the end"] = Listing("MANIFEST_UNSAFE_PATH", "data/x."),
        ["G25 percent"] = Listing("MANIFEST_MALFORMED", "data/%2e%2e/x"),
        ["G26 empty manifest"] = Manifest("MANIFEST_MALFORMED", _ => ""),
        ["G27 totals"] = (
            "STATEMENT_INCONSISTENT",
            Steps(
                b => Edit(
                    b,
                    "bag-info.txt",
                    c => Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(c).Replace("Payload-Oxum: ", "Payload-Oxum: 1", StringComparison.Ordinal))),
                b => Samples.Reseal(b))),
        ["N one line too long"] = Listing("MANIFEST_MALFORMED", "data/" + new string('x', 300)),
        ["N tag manifest covers less"] = ("MANIFEST_MALFORMED", b => Edit(b, "tagmanifest-sha256.txt", c => c[(Array.IndexOf(c, (byte)'\n') + 1)..])),
        ["N bag-info.txt edited"] = ("CONTENT_MODIFIED", b => Edit(b, "bag-info.txt", c => [.. c, .. "Contact-Name: M\n"u8])),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    public async Task InitializeAsync() => _bundle = (await Samples.SealAsync(_folder.Path)).Path;

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Tampering_fails_verification_and_says_how(string name)
    {
        var (code, tamper) = Cases[name];
        tamper(_bundle);
        var verifying = Samples.VerifyAsync(_bundle);
        Assert.Same(verifying, await Task.WhenAny(verifying, Task.Delay(TimeSpan.FromSeconds(60))));
        var report = await verifying;
        Assert.Contains(code, report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [Fact]
    public async Task Any_change_to_any_one_byte_fails_verification()
    {
        var random = new Random(5);
        foreach (var file in Directory.GetFiles(_bundle, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var original = File.ReadAllBytes(file);
            for (var round = 0; round < 40; round++)
            {
                var at = random.Next(original.Length);
                byte[] changed = random.Next(3) switch
                {
                    0 => [.. original[..at], (byte)(original[at] ^ random.Next(1, 256)), .. original[(at + 1)..]],
                    1 => [.. original[..at], .. original[(at + 1)..]],
                    _ => [.. original[..at], (byte)random.Next(256), .. original[at..]],
                };
                if (changed.AsSpan().SequenceEqual(original))
                    continue;
                File.WriteAllBytes(file, changed);
                Assert.Equal(VerifyAnswer.Fails, (await Samples.VerifyAsync(_bundle)).Answer);
            }
            File.WriteAllBytes(file, original);
        }
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(_bundle)).Answer);
    }

    [Fact]
    public async Task Removing_or_swapping_any_files_fails_verification()
    {
        var files = Directory.GetFiles(_bundle, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        var aside = Path.Combine(_folder.Path, "aside");
        foreach (var file in files)
        {
            File.Move(file, aside);
            Assert.Equal(VerifyAnswer.Fails, (await Samples.VerifyAsync(_bundle)).Answer);
            foreach (var other in files.Where(f => f != file))
            {
                File.Move(other, file);
                File.Move(aside, other);
                Assert.Equal(VerifyAnswer.Fails, (await Samples.VerifyAsync(_bundle)).Answer);
                File.Move(other, aside);
                File.Move(file, other);
            }
            File.Move(aside, file);
        }
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(_bundle)).Answer);
    }

    private static Action<string> Steps(params Action<string>[] steps) => bundle => Array.ForEach(steps, step => step(bundle));

    private static (string, Action<string>) Listing(string code, string path) => (code, b =>
        Samples.WriteManifest(b, [.. File.ReadAllBytes(At(b, "manifest-sha256.txt")), .. Encoding.UTF8.GetBytes($"{new string('0', 64)}  {path}\n")]));

    private static (string, Action<string>) Manifest(string code, Func<string, string> edit) => (code, b =>
        Samples.Reseal(b, edit(File.ReadAllText(At(b, "manifest-sha256.txt")))));

    private static void EditManifest(string bundle, Func<IEnumerable<string>, IEnumerable<string>> edit) =>
        File.WriteAllText(At(bundle, "manifest-sha256.txt"),
            string.Concat(edit(File.ReadAllLines(At(bundle, "manifest-sha256.txt"))).Select(l => l + "\n")));

    private static void Swap(string bundle)
    {
        var (one, other) = (At(bundle, Csv), At(bundle, "data/inputs/hr2/hr.csv"));
        var content = File.ReadAllBytes(one);
        File.Copy(other, one, overwrite: true);
        File.WriteAllBytes(other, content);
    }

    private static void Edit(string bundle, string file, Func<byte[], byte[]> edit) =>
        File.WriteAllBytes(At(bundle, file), edit(File.ReadAllBytes(At(bundle, file))));

    private static string At(string bundle, string file) => Path.Combine(bundle, file);
}
