using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AuditCli.Tests.Text;

/// <summary>Tests what a user sees of a run in a terminal of 80 columns, for which tmux is used.</summary>
public sealed partial class TerminalTests
{
    private const string Between = "=====";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [NeedsFact("tmux")]
    public async Task Progress_at_80_columns_neither_wraps_nor_leaves_anything_behind_nor_clears_the_screen()
    {
        using var folder = new TemporaryFolder();
        var socket = Path.Combine(folder.Path, "tmux");
        var raw = Path.Combine(folder.Path, "raw");
        var ended = Path.Combine(folder.Path, "ended");
        var assembly = Path.Combine(AppContext.BaseDirectory, "auditcli.dll");
        var program = $"dotnet '{assembly}' run '{Repository.Path("samples", "engagement.yaml")}' --out out > stdout";
        try
        {
            await TmuxAsync(folder, socket, "new-session", "-d", "-x", "80", "-y", "24", $"sleep 1; {program}; echo $? > '{ended}'; sleep 60");
            await TmuxAsync(folder, socket, "pipe-pane", "-o", $"cat > '{raw}'");
            var frames = new HashSet<string>(StringComparer.Ordinal);
            var clock = Stopwatch.StartNew();
            while (!File.Exists(ended) && clock.Elapsed < Patience)
            {
                // Captures the same screen twice: as shown, and with wrapped lines joined. They differ if a line was too long for the
                // terminal.
                var captured = await TmuxAsync(folder, socket, "capture-pane", "-p", ";", "display-message", "-p", Between, ";", "capture-pane", "-p", "-J");
                var both = captured.Split(Between);
                var screen = both[0];
                Assert.True(Lines(screen) == Lines(both[1]), $"wrapped:\n{screen}");
                Assert.True(Bars.Count(screen) <= 1, $"more than one bar:\n{screen}");
                frames.Add(screen);
                await Task.Delay(50);
            }
            Assert.Equal("2", File.ReadAllText(ended).Trim());
            Assert.True(frames.Count(f => Bars.IsMatch(f)) >= 3, $"the bar was seen in {frames.Count(f => Bars.IsMatch(f))} of {frames.Count} frames");
            var last = await TmuxAsync(folder, socket, "capture-pane", "-p");
            Assert.Equal(0, Bars.Count(last));
            Assert.Contains("target prod is 111122223333", last, StringComparison.Ordinal);
            var written = await File.ReadAllTextAsync(raw);
            Assert.DoesNotContain("\u001b[2J", written, StringComparison.Ordinal);
            Assert.Contains("\u001b[?25l", written, StringComparison.Ordinal);
            Assert.Contains("\u001b[?25h", written[written.LastIndexOf("\u001b[?25l", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }
        finally
        {
            await AuditCommand.OtherAsync(folder.Path, "tmux", "-S", socket, "-f", "/dev/null", "kill-server");
        }
    }

    private static int Lines(string screen) => screen.Split('\n').Count(l => l.Trim().Length > 0);

    private static async Task<string> TmuxAsync(TemporaryFolder folder, string socket, params string[] arguments)
    {
        var result = await AuditCommand.OtherAsync(folder.Path, "tmux", ["-S", socket, "-f", "/dev/null", .. arguments]);
        Assert.True(result.ExitCode == 0, $"tmux {string.Join(' ', arguments)}: {result}");
        return result.Output;
    }

    /// <summary>Matches the progress bar and the percentage after it.</summary>
    [GeneratedRegex("^.*[━─-]{8,}.* +[0-9]+%", RegexOptions.Multiline)]
    private static partial Regex Bars { get; }
}
