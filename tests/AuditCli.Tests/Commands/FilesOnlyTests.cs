namespace AuditCli.Tests.Commands;

/// <summary>Tests an engagement without any target: its controls read files alone, and nothing has to be granted for them.</summary>
public sealed class FilesOnlyTests : IDisposable
{
    private const string Control = """
        schema: 1
        id: OPS-XSR-903
        version: 1.0.0
        title: Restores are tested
        objective: Every restore is tested.
        risk: Nobody knows.
        domain: computer-operations
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: {}
        evidence:
          restores: { file: restore-tests, columns: { system: text, tested_on: date } }
        completeness: { none: a test }
        tests:
          - id: T1
            title: It was tested
            sql: SELECT r.system AS item, r.tested_on IS NOT NULL AS pass, 'never tested' AS reason FROM restores r
        recommendation: Test them.
        """;

    private const string Head = """
        schema: 1
        entity: Example Exchange
        name: Files only
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-16T00:00:00Z
        preparer: A. Preparer
        reviewer: R. Reviewer

        """;

    private const string Whole = "system,tested_on\ntrading,\nledger,2026-10-01\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Whole, 2, 0, "1 input can be read; no target is asked for anything")]
    [InlineData(Whole, 3, 3, "1 input cannot be relied on, as said above")]
    [InlineData("system,tested_on\ntrading,soon\nledger,2026-10-01\n", 2, 3, "1 input cannot be relied on, as said above")]
    public async Task Doctor_lists_every_input_and_ends_with_3_where_its_content_makes_a_test_inconclusive(
        string content, int stated, int exit, string verdict)
    {
        Write(content, stated);
        var doctor = await AuditCommand.RunAsync(_folder.Path, "doctor", "engagement.yaml");
        Assert.True(doctor.ExitCode == exit, doctor.ToString());
        Assert.Contains("input restore-tests: 2 rows, restores.csv", doctor.Output, StringComparison.Ordinal);
        Assert.EndsWith(verdict + "\n", doctor.Output, StringComparison.Ordinal);

        var run = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.Output.Contains("INCONCLUSIVE", StringComparison.Ordinal) == (exit == 3), run.ToString());
    }

    [Fact]
    public async Task A_reviewer_whom_nobody_named_is_said_on_the_screen_and_in_the_scope()
    {
        Write(Whole, 2);
        var path = Path.Combine(_folder.Path, "engagement.yaml");
        await File.WriteAllTextAsync(
            path, (await File.ReadAllTextAsync(path)).Replace("R. Reviewer", "'Nobody yet: name who reviews'", StringComparison.Ordinal));
        var run = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.Contains(
            "warning: the reviewer is 'Nobody yet: name who reviews', which is sealed as it is; name a person in ",
            run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("warning: the preparer", run.Error, StringComparison.Ordinal);
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Assert.Contains(
            "no reviewer was named", await File.ReadAllTextAsync(Path.Combine(bundle, "data/reports/summary.md")), StringComparison.Ordinal);

        // The verdict comes before the SQL that gave it.
        var shown = (await AuditCommand.RunAsync(_folder.Path, "show", bundle, "OPS-XSR-903", "T1")).Output;
        int At(string text) => shown.IndexOf(text, StringComparison.Ordinal);
        Assert.True(At("FAIL, 1 exception on 1 of 2") is > 0 and var verdict && verdict < At("never tested") && At("never tested") < At("by this SQL:"), shown);
    }

    [Fact]
    public async Task Nothing_has_to_be_granted_for_it()
    {
        Write(Whole, 2);
        var every = await AuditCommand.RunAsync(_folder.Path, "permissions", "engagement.yaml");
        Assert.True(every.ExitCode == 0, every.ToString());
        Assert.Contains("nothing has to be granted", every.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await AuditCommand.RunAsync(_folder.Path, "permissions", "engagement.yaml", "--source", "aws")).ExitCode);
    }

    [Fact]
    public async Task Its_own_control_and_the_place_of_its_items_are_named()
    {
        Write(Whole, 3);
        var run = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.Contains("OPS-XSR-903 is a control of your own library, sha256 ", run.Output, StringComparison.Ordinal);
        Assert.Contains("restore-tests in the inputs: incomplete", run.Error, StringComparison.Ordinal);
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var control = await AuditCommand.RunAsync(_folder.Path, "show", bundle, "OPS-XSR-903");
        Assert.Contains("\n  the inputs: ", control.Output, StringComparison.Ordinal);
        Assert.Contains("limitation: restore-tests in the inputs: StatedRowsDiffer", control.Output, StringComparison.Ordinal);
        var item = await AuditCommand.RunAsync(_folder.Path, "show", bundle, "OPS-XSR-903", "T1", "trading");
        Assert.Contains("item trading in the inputs\n", item.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doctor")]
    [InlineData("permissions")]
    [InlineData("run")]
    public async Task Without_a_target_and_without_an_input_the_line_of_the_targets_is_named(string command)
    {
        _folder.Write("engagement.yaml", $"{Head}targets: {{}}\n");
        var result = await AuditCommand.RunAsync(_folder.Path, command, "engagement.yaml");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("engagement.yaml:8:10: no target yet: name one under targets:\n", result.Error, StringComparison.Ordinal);
    }

    private void Write(string content, int stated)
    {
        _folder.Write("lib/computer-operations/OPS-XSR-903.yaml", Control);
        _folder.Write("restores.csv", content);
        _folder.Write("engagement.yaml", $$"""
            {{Head}}library: lib
            targets: {}
            inputs:
              restore-tests:
                { file: restores.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail, stated_rows: {{stated}} }
            """);
    }
}
