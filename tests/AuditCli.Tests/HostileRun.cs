using System.Globalization;
using System.Text;

namespace AuditCli.Tests;

/// <summary>
/// A sealed bundle with malicious item names: formulas, markup, escape sequences, bidirectional controls and a name of one megabyte. They
/// were collected properly, from an input file.
/// </summary>
public sealed class HostileRun : IAsyncLifetime, IDisposable
{
    public const string Control = "APD-XSR-901";
    public const string Formula = "=cmd|' /C calc'!A0";
    public const string Markup = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    public const string Escape = "red\u001b[31m\u0007 title\u001b]0;owned\u0007";
    public const string Direction = "safe\u202egnp.exe\u2066\u200b";
    public const int LongLength = 1_000_000;

    private const string Definition = """
        schema: 1
        id: APD-XSR-901
        version: 1.0.0
        title: Names are listed
        objective: Every name is known.
        risk: A name does harm.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: { soc2-tsc: [CC6.1] }
        evidence:
          names: { file: names, columns: { name: text, known: boolean, note: text } }
        completeness:
          - name: every name is there
            sql: SELECT count(*) FROM names n
            equals: SELECT count(n.name) FROM names n
        tests:
          - id: T1
            title: The name is known
            sql: |
              SELECT n.name AS item, n.known IS TRUE AS pass, 'unknown: ' || n.note AS reason, n.note FROM names n
        recommendation: Know them.
        """;

    private const string Engagement = """
        schema: 1
        entity: "Hostile <b>& Sons"
        name: "=1+1"
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-16T00:00:00Z
        preparer: A. Preparer
        reviewer: R. Reviewer
        library: controls
        inputs:
          names: { file: names.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
        targets:
          nobody: { kubernetes: { context: nowhere } }
        replay: exchanges
        """;

    private static readonly MadeOnce<CommandResult> Once = new(async folder =>
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "engagement.yaml"), Engagement);
        var library = Directory.CreateDirectory(Path.Combine(folder, "controls", "access-to-programs-and-data")).FullName;
        await File.WriteAllTextAsync(Path.Combine(library, $"{Control}.yaml"), Definition);
        Directory.CreateDirectory(Path.Combine(folder, "exchanges"));
        var names = new StringBuilder("name,known,note\n");
        foreach (var name in new[] { Formula, Markup, Escape, Direction, Long })
            names.Append(CultureInfo.InvariantCulture, $"\"{name}\",false,\"+{name}\"\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "names.csv"), names.Append("-harmless,true,-1\n").ToString());
        var result = await AuditCommand.RunAsync(folder, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 2, result.ToString());
        return result;
    });

    private readonly TemporaryFolder _folder = new();

    public string Folder => _folder.Path;
    public string Bundle { get; private set; } = "";

    public static string Long { get; } = new('x', LongLength);

    public async Task InitializeAsync()
    {
        await Once.CopyToAsync(Folder);
        Bundle = AuditCommand.TheBundle(Path.Combine(Folder, "out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    /// <summary>Checks that the text contains nothing that controls a terminal, and is far shorter than the longest name.</summary>
    public static void IsHarmless(string output)
    {
        Assert.DoesNotContain(output, c => c is '\u001b' or '\u0007' or '\u202e' or '\u2066' or '\u200b');
        Assert.All(output.Split('\n'), line => Assert.True(line.Length < 10_000, $"a line of {line.Length} characters"));
    }
}
