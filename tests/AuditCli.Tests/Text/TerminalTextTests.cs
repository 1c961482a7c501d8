using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Text;

namespace AuditCli.Tests.Text;

/// <summary>
/// The bundle of <see cref="HostileRun"/>, and a broken bundle, a key, an engagement and libraries that contain the same text.
/// </summary>
public sealed class HostileSurroundings : IAsyncLifetime, IDisposable
{
    private readonly HostileRun _run = new();

    public string Folder => _run.Folder;

    public string Bundle => _run.Bundle;

    /// <summary>A bundle with a file that its manifest does not list.</summary>
    public string Broken { get; private set; } = "";

    /// <summary>A key without a passphrase.</summary>
    public string Key => Path.Combine(Folder, "auditor.pem");

    public async Task InitializeAsync()
    {
        await _run.InitializeAsync();
        Broken = BundleForgery.Copy(Bundle, Path.Combine(Folder, "broken"));
        File.WriteAllText(Path.Combine(Broken, "data", TerminalTextTests.Hostile), "");
        var key = await AuditCommand.RunAsync(Folder, "keys", "new", Key, "--no-passphrase");
        Assert.True(key.ExitCode == 0, key.ToString());

        var engagement = File.ReadAllText(Path.Combine(Folder, "engagement.yaml"));
        var context = JsonSerializer.Serialize(TerminalTextTests.Written);
        Write("config", "contexts: []\nclusters: []\nusers: []\n");
        Write("hostile.yaml", engagement
            .Replace("replay: exchanges", "", StringComparison.Ordinal)
            .Replace("library: controls", "library: asked", StringComparison.Ordinal)
            .Replace("{ context: nowhere }", $"{{ context: {context}, kubeconfig: config }}", StringComparison.Ordinal));
        Write("shown.yaml", engagement
            .Replace("library: controls", "library: library", StringComparison.Ordinal)
            .Replace("name: \"=1+1\"", $"name: {context}", StringComparison.Ordinal)
            .Replace("preparer: A. Preparer", $"preparer: {context}", StringComparison.Ordinal));
        Write("wrong.yaml", engagement
            .Replace("nobody:", $"{context}:", StringComparison.Ordinal)
            .Replace("entity:", $"{context}: x\nentity:", StringComparison.Ordinal));
        var control = File.ReadAllText(Path.Combine(Folder, Of("controls")));
        Write(Of("library"), control
            .Replace("title: Names are listed", $"title: {context}", StringComparison.Ordinal)
            .Replace("owner: Test", $"owner: {context}", StringComparison.Ordinal)
            .Replace("recommendation: Know them.", $"recommendation: {context}\nlimitations: [{context}]", StringComparison.Ordinal));
        Write(Of("asked"), control.Replace("evidence:\n", "evidence:\n  pods: { kubernetes: v1/pods }\n", StringComparison.Ordinal));
        Write(Of("wrong"), control
            .Replace("evidence:\n", $"evidence:\n  pods: {{ kubernetes: {context} }}\n", StringComparison.Ordinal)
            .Replace("owner: Test", $"{context}: x", StringComparison.Ordinal));

        static string Of(string library) => Path.Combine(library, "access-to-programs-and-data", $"{HostileRun.Control}.yaml");

        void Write(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Folder, path))!);
            File.WriteAllText(Path.Combine(Folder, path), text);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _run.Dispose();
}

/// <summary>
/// Tests the writer in front of stdout and stderr: however it is written, no character that controls a terminal or is invisible passes.
/// </summary>
public sealed partial class TerminalTextTests(HostileSurroundings surroundings) : IClassFixture<HostileSurroundings>
{
    /// <summary>
    /// A name that clears the screen, sets colours, erases lines, moves up as a progress display does, sets the title, and reverses the
    /// direction.
    /// </summary>
    internal const string Hostile = "a\u001b[2J\u001b[31m\u001b[1A\u001b[2K\u001b]0;t\u0007\r\u0085\u009b1m\u202e\u2066\u200bb";

    /// <summary>
    /// A name that changes the direction and has an invisible character, and that a YAML file may hold. With any other the file would be
    /// refused before a command printed the name.
    /// </summary>
    internal const string Written = "a\u200e\u061c\u200bb";

    private static readonly SearchValues<char> Harmful = SearchValues.Create(
    [
        .. Enumerable.Range(0, 0x20).Except(['\n', '\t']).Concat(Enumerable.Range(0x7F, 0x21)).Concat([0x061C, 0x200B, 0x200E, 0x200F, 0xFEFF])
            .Concat(Enumerable.Range(0x2028, 7)).Concat(Enumerable.Range(0x2066, 4)).Select(c => (char)c),
    ]);

    /// <summary>The commands below that print no name which somebody else chose.</summary>
    private static readonly string[] Nameless =
    [
        "show BUNDLE", "query BUNDLE", "verify BUNDLE --allow-unsigned", "reperform BUNDLE --allow-unsigned",
        "reperform BUNDLE --allow-unsigned --controls library", "permissions hostile.yaml", "permissions hostile.yaml --output json",
        "controls validate --controls library", "controls test --controls library",
    ];

    /// <summary>Code points that control a terminal: the first, the last and the harmful ones of each kind.</summary>
    public static TheoryData<int> Steering =>
    [
        // C0 and DEL, without line ends and tabs.
        0x00, 0x07, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x1A, 0x1B, 0x1F, 0x7F,
        // C1: next line, single shift, device control, control sequence, string terminator, operating system command, privacy message.
        0x80, 0x85, 0x8E, 0x90, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F,
        // Bidirectional controls.
        0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069,
        // Line separators and invisible characters.
        0x2028, 0x2029, 0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2064, 0x206F, 0x2800, 0x3164, 0xFE00, 0xFE0F,
        0xFEFF, 0xFFA0, 0xFFF9, 0xFFFB, 0xFFFE, 0xE0001, 0xE0041, 0xE007F, 0xE0100, 0x1FFFE,
    ];

    [Theory]
    [MemberData(nameof(Steering))]
    public void Nothing_that_steers_or_hides_passes_in_one_piece_or_letter_by_letter(int code)
    {
        var text = $"before{char.ConvertFromUtf32(code)}after";
        var expected = $"before{string.Concat(char.ConvertFromUtf32(code).Select(c => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")))}after";
        Assert.Equal(expected, Shown(w => w.Write(text)));
        Assert.Equal(expected, Shown(w => w.Write(text.ToCharArray())));
        Assert.Equal(expected, Shown(w => w.Write(text.AsSpan())));
        Assert.Equal(expected + Environment.NewLine, Shown(w => w.WriteLine(text)));
        Assert.Equal(expected, Shown(w => w.Write("{0}", text)));
        Assert.Equal(expected, Shown(w => w.WriteAsync(text).GetAwaiter().GetResult()));
        Assert.Equal(expected, Shown(w =>
        {
            foreach (var c in text)
                w.Write(c);
        }));
    }

    [Theory]
    [InlineData("plain text, with \t and \n")]
    [InlineData("Zürich – naïve … “quoted” 東京 Ελλάδα ━━ ⚠ 🙂")]
    [InlineData("two lines\r\nof Windows")]
    public void What_can_be_read_stays_as_it_is(string text) => Assert.Equal(text, Shown(w => w.Write(text)));

    [Fact]
    public void Half_of_a_pair_is_shown_as_such() => Assert.Equal("a\\ud800b\\udc00", Shown(w => w.Write("a\ud800b\udc00")));

    [Theory]
    [MemberData(nameof(Steering))]
    public void A_text_of_json_stays_the_same_text(int code)
    {
        // Unescaped where JSON allows it, as a provider would write it.
        var raw = char.ConvertFromUtf32(code);
        var json = code < 0x20 ? JsonSerializer.Serialize(raw) : $"\"{raw}\"";
        Assert.Equal(raw, JsonSerializer.Deserialize<string>(Shown(w => w.Write($"{{\"a\":{json}}}"))[5..^1]));
    }

    [Theory]
    [InlineData("\u001b[1;31m", true)]
    [InlineData("\u001b[0m", true)]
    [InlineData("\u001b[2K", true)]
    [InlineData("\u001b[1A", true)]
    [InlineData("\u001b[?25l", true)]
    [InlineData("\u001b[?25h", true)]
    [InlineData("\r", true)]
    [InlineData("\u001b[2J", false)]
    [InlineData("\u001b[H", false)]
    [InlineData("\u001b[6n", false)]
    [InlineData("\u001b]0;title\u0007", false)]
    [InlineData("\u001b]8;;https://evil.example\u001b\\", false)]
    [InlineData("\u001bP+q\u001b\\", false)]
    [InlineData("\u001b[?1049h", false)]
    [InlineData("\u001bc", false)]
    [InlineData("\u009b31m", false)]
    public void A_console_may_colour_and_redraw_lines_and_nothing_else(string sequence, bool passes)
    {
        using var terminal = new StringWriter();
        using var drawing = TerminalText.Drawing(terminal);
        drawing.Write($"a{sequence}b");
        drawing.Flush();
        Assert.Equal(passes, terminal.ToString() == $"a{sequence}b");
        Assert.Equal(passes && sequence != "\r", terminal.ToString().Contains('\u001b', StringComparison.Ordinal));
    }

    /// <summary>
    /// Runs every command that shows text of a bundle, a control or an engagement, through the writer in front of stdout and stderr.
    /// </summary>
    [Theory]
    [InlineData("show BUNDLE")]
    [InlineData("show BUNDLE CONTROL")]
    [InlineData("show BUNDLE CONTROL T1 ITEM")]
    [InlineData("show BUNDLE CONTROL --output json")]
    [InlineData("show BUNDLE NOTHING")]
    [InlineData("show NOTHING")]
    [InlineData("query BUNDLE")]
    [InlineData("query BUNDLE FROM_ITEMS")]
    [InlineData("query BUNDLE FROM_ITEMS --format csv")]
    [InlineData("query BUNDLE FROM_ITEMS --format json")]
    [InlineData("query BUNDLE FROM_NOTHING")]
    [InlineData("query NOTHING")]
    [InlineData("report BUNDLE --format md --allow-unsigned")]
    [InlineData("report BUNDLE --format csv --allow-unsigned")]
    [InlineData("report BUNDLE --format html --allow-unsigned")]
    [InlineData("report BUNDLE --format sarif --allow-unsigned")]
    [InlineData("report BUNDLE --format oscal --allow-unsigned")]
    [InlineData("report BUNDLE --format junit --allow-unsigned")]
    [InlineData("report BROKEN --format md --allow-unsigned")]
    [InlineData("verify BUNDLE --allow-unsigned")]
    [InlineData("verify BUNDLE --NOTHING")]
    [InlineData("verify BROKEN --allow-unsigned")]
    [InlineData("verify NOTHING")]
    [InlineData("reperform BUNDLE --allow-unsigned")]
    [InlineData("reperform BROKEN --allow-unsigned")]
    [InlineData("reperform BUNDLE --allow-unsigned --controls library")]
    [InlineData("diff BUNDLE BUNDLE --allow-unsigned")]
    [InlineData("diff BUNDLE BUNDLE --allow-unsigned --format md")]
    [InlineData("diff BUNDLE BUNDLE --allow-unsigned --format json")]
    [InlineData("diff BUNDLE BROKEN --allow-unsigned")]
    [InlineData("diff BUNDLE NOTHING")]
    [InlineData("seal BROKEN --sign KEY")]
    [InlineData("seal BUNDLE --sign NOTHING")]
    [InlineData("seal NOTHING --sign KEY")]
    [InlineData("doctor hostile.yaml")]
    [InlineData("doctor hostile.yaml --output json")]
    [InlineData("doctor hostile.yaml --target NOTHING")]
    [InlineData("doctor wrong.yaml")]
    [InlineData("run wrong.yaml")]
    [InlineData("run shown.yaml --out again")]
    [InlineData("run shown.yaml --out NOTHING/..")]
    [InlineData("permissions hostile.yaml")]
    [InlineData("permissions hostile.yaml --output json")]
    [InlineData("permissions wrong.yaml")]
    [InlineData("permissions --controls wrong")]
    [InlineData("permissions --control NOTHING")]
    [InlineData("controls list --controls library")]
    [InlineData("controls list --controls wrong")]
    [InlineData("controls show CONTROL --controls library")]
    [InlineData("controls show NOTHING --controls library")]
    [InlineData("controls validate --controls library")]
    [InlineData("controls validate --controls wrong")]
    [InlineData("controls test --controls library")]
    [InlineData("controls columns aws NOTHING")]
    [InlineData("call aws NOTHING")]
    [InlineData("call gcp NOTHING")]
    [InlineData("call kubernetes NOTHING")]
    [InlineData("call kubernetes v1/pods namespace=NOTHING --engagement hostile.yaml --target nobody")]
    [InlineData("call kubernetes v1/pods --engagement hostile.yaml --target nobody")]
    [InlineData("call kubernetes v1/pods --engagement wrong.yaml --target nobody")]
    public async Task No_command_prints_what_steers_a_terminal(string command)
    {
        string[] arguments = [.. command.Split(' ').Select(Word)];
        using var bytes = new MemoryStream();
        using var output = new StringWriter();
        using var error = new StringWriter();
        await using (var shown = new TerminalText(output))
        await using (var told = new TerminalText(error))
        {
            var host = AuditCommand.Host(surroundings.Folder) with { OpenOutput = () => bytes };
            var configuration = new InvocationConfiguration { Output = shown, Error = told, EnableDefaultExceptionHandler = false };
            _ = await Composition.Root(host).Parse(arguments).InvokeAsync(configuration);
        }

        Assert.True(output.ToString().Length + error.ToString().Length > 0, command);
        Assert.Equal(0, bytes.Length);
        IsHarmless(output.ToString() + error);
        // Otherwise nothing was tested: the name was stopped before it could be printed.
        Assert.Equal(!Nameless.Contains(command), NamesShown().IsMatch(output.ToString() + error));
        if (arguments.Contains("json") && output.ToString().Length > 0)
            _ = JsonElement.Parse(output.ToString());
    }

    /// <summary>Runs a real process, whose streams are set up in other code.</summary>
    [Theory]
    [InlineData("show BUNDLE CONTROL")]
    [InlineData("query BUNDLE FROM_ITEMS --format csv")]
    [InlineData("verify BROKEN --allow-unsigned")]
    public async Task No_process_prints_what_steers_a_terminal(string command)
    {
        var result = await AuditCommand.ProcessAsync(surroundings.Folder, new Dictionary<string, string>(), [], [.. command.Split(' ').Select(Word)]);

        Assert.True(result.Output.Length > 0, result.ToString());
        IsHarmless(result.Output + result.Error);
    }

    private string Word(string word) => word switch
    {
        "BUNDLE" => surroundings.Bundle,
        "BROKEN" => surroundings.Broken,
        "KEY" => surroundings.Key,
        "CONTROL" => HostileRun.Control,
        "ITEM" => HostileRun.Escape,
        "FROM_ITEMS" => "FROM results.items",
        "FROM_NOTHING" => $"FROM \"{Hostile}\"",
        _ => word.Replace("NOTHING", Hostile, StringComparison.Ordinal),
    };

    /// <summary>Checks that no harmful character was printed. Line ends are normalized first, because CSV uses CR LF (RFC 4180).</summary>
    private static void IsHarmless(string text)
    {
        var ended = text.ReplaceLineEndings("\n");
        var at = ended.AsSpan().IndexOfAny(Harmful);
        Assert.True(at < 0, at < 0 ? "" : $"U+{(int)ended[at]:X4} was printed after {ended[Math.Max(0, at - 100)..at]}");
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(1)")]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    [InlineData("\uff1d1")]
    [InlineData("\uff0b1")]
    [InlineData("\uff0d1")]
    [InlineData("\uff201")]
    [InlineData("\u200b\uff1d1")]
    public async Task No_answer_in_csv_is_a_formula_whatever_its_type(string text)
    {
        foreach (var expression in new[] { "{0}", "to_json({0})", "CAST({0} AS JSON)" })
        {
            var value = expression.StartsWith("CAST", StringComparison.Ordinal) ? $"'{JsonSerializer.Serialize(text)}'" : $"'{text}'";
            var sql = $"SELECT {expression.Replace("{0}", value, StringComparison.Ordinal)} AS x";
            var file = Path.Combine(surroundings.Folder, $"{Guid.CreateVersion7()}.csv");
            var result = await AuditCommand.RunAsync(surroundings.Folder, "query", surroundings.Bundle, sql, "--format", "csv", "--out", file);
            Assert.True(result.ExitCode == 0, result.ToString());
            var cell = File.ReadAllLines(file)[1].TrimStart('"');
            Assert.True(cell.StartsWith('\'') || cell.StartsWith('\\') || cell.StartsWith("\"\"", StringComparison.Ordinal), $"{sql} gives {cell}");
            Assert.DoesNotContain('\u200b', cell);
        }
    }

    [Fact]
    public async Task What_a_credential_plugin_complains_of_is_shown_as_text()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TemporaryFolder();
        var plugin = folder.Write("plugin", "#!/bin/sh\nprintf 'denied \\033[2J \\033]0;owned\\007 \\342\\200\\256evil \\302\\233 gone\\n' >&2\nexit 1\n");
        File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var config = folder.Write("config", $$"""
            current-context: c
            contexts: [{ name: c, context: { cluster: a, user: u } }]
            clusters: [{ name: a, cluster: { server: http://127.0.0.1:1 } }]
            users: [{ name: u, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: {{plugin}}, interactiveMode: Never } } }]
            """);
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = config };
        var result = await AuditCommand.ProcessAsync(folder.Path, environment, [], "call", "kubernetes", "v1/pods");
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("denied \\u001b[2J \\u001b]0;owned\\u0007 \\u202eevil \\u009b gone", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(result.Error + result.Output, c => char.IsControl(c) && c != '\n');
    }

    private static string Shown(Action<TextWriter> write)
    {
        using var terminal = new StringWriter();
        using var text = new TerminalText(terminal);
        write(text);
        text.Flush();
        return terminal.ToString();
    }

    /// <summary>Matches the escaped form of a character of the hostile names.</summary>
    [GeneratedRegex(@"\\u(001b|200e|202e)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NamesShown();
}
