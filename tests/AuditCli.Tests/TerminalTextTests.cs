using System.Globalization;
using System.Text.Json;

namespace AuditCli.Tests;

/// <summary>What stands before stdout and stderr: nothing that steers a terminal, and nothing that nobody sees, passes it in any way of writing.</summary>
public sealed class TerminalTextTests(HostileRun hostile) : IClassFixture<HostileRun>
{
    /// <summary>Code points, of each kind the first, the last and those that do harm.</summary>
    public static TheoryData<int> Steering =>
    [
        // C0 and DEL, line ends and tabs left out.
        0x00, 0x07, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x1A, 0x1B, 0x1F, 0x7F,
        // C1: next line, single shift, device control, control sequence, string terminator, operating system command, privacy message.
        0x80, 0x85, 0x8E, 0x90, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F,
        // Directions.
        0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069,
        // Separators of lines, and what nobody sees.
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
        // As a provider writes it: raw where JSON allows that.
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

    /// <summary>Every command that shows words of a bundle, through a real process, into a pipe as into a terminal.</summary>
    [Theory]
    [InlineData("show")]
    [InlineData("show", HostileRun.Control)]
    [InlineData("show", HostileRun.Control, "--output", "json")]
    [InlineData("query")]
    [InlineData("query", "SELECT * FROM results.items")]
    [InlineData("query", "SELECT * FROM results.items", "--format", "csv")]
    [InlineData("query", "SELECT * FROM results.items", "--format", "json")]
    [InlineData("query", "SELECT * FROM \"\u001b[2J\u202e\"")]
    [InlineData("show", "\u001b[2J\u202e\u0085")]
    [InlineData("report", "--format", "md", "--allow-unsigned")]
    [InlineData("report", "--format", "csv", "--allow-unsigned")]
    [InlineData("report", "--format", "html", "--allow-unsigned")]
    [InlineData("report", "--format", "sarif", "--allow-unsigned")]
    [InlineData("verify", "--allow-unsigned")]
    [InlineData("verify", "--\u001b[2J")]
    [InlineData("reperform", "--allow-unsigned")]
    public async Task No_command_prints_what_steers_a_terminal(string command, params string[] arguments)
    {
        var result = await AuditCommand.ProcessAsync(hostile.Folder, new Dictionary<string, string>(), [], [command, hostile.Bundle, .. arguments]);
        // Lines of CSV end with both, as RFC 4180 has it.
        Assert.All((result.Output + result.Error).ReplaceLineEndings("\n"), c => Assert.False(
            c is '\r' or '\u001b' or '\u0085' or '\u202e' or '\u2066' or '\u200b' || (char.IsControl(c) && c is not ('\n' or '\t')), $"U+{(int)c:X4} was printed"));
        if (arguments.Contains("json"))
            _ = JsonElement.Parse(result.Output);
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
            var file = Path.Combine(hostile.Folder, $"{Guid.CreateVersion7()}.csv");
            var result = await AuditCommand.RunAsync(hostile.Folder, "query", hostile.Bundle, sql, "--format", "csv", "--out", file);
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
        var result = await AuditCommand.ProcessAsync(folder.Path, new Dictionary<string, string> { ["KUBECONFIG"] = config }, [], "call", "kubernetes", "v1/pods");
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
}
