namespace AuditCli.Tests.Commands;

/// <summary>Tests what <c>controls validate</c> reports about a test whose SQL gives the same result whatever was read.</summary>
public sealed class ValidateTests : IDisposable
{
    private const string Id = "APD-XSR-903";

    private const string Control = """
        schema: 1
        id: APD-XSR-903
        version: 1.0.0
        title: Accounts are known
        objective: Every account is known.
        risk: Nobody knows.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: { soc2-tsc: [CC6.1] }
        evidence:
          accounts: { file: accounts, columns: { name: text, known: boolean } }
        completeness: { none: a test }
        tests:
          - id: T1
            title: It is known
            sql: SELECT a.name AS item, a.known IS TRUE AS pass, 'unknown' AS reason FROM accounts a
          - id: T2
            title: It is known once more
            sql: |
              -- FROM accounts
              SELECT a.name AS item, a.known IS TRUE AS pass, 'unknown' AS reason
              FROM accounts a
        recommendation: Know them.
        """;

    private const string Fixtures = """
        cases:
          - name: known
            inputs: { accounts: { rows: [{ name: a, known: true }] } }
            partitions: { "111122223333": {} }
            expect: { conclusion: PASS }
          - name: unknown
            inputs: { accounts: { rows: [{ name: a, known: false }] } }
            partitions: { "111122223333": {} }
            expect: { conclusion: FAIL, deviations: [T1/a, T2/a] }
          - name: nobody
            inputs: { accounts: { rows: [] } }
            partitions: { "111122223333": {} }
            expect: { conclusion: NO_OCCURRENCE }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_test_that_names_no_evidence_is_refused_with_its_file_line_and_name()
    {
        var result = await ValidateAsync(Control
            .Replace("\n      FROM accounts a", "", StringComparison.Ordinal)
            .Replace(
                "a.name AS item, a.known IS TRUE AS pass, 'unknown' AS reason\n",
                "'all' AS item, true AS pass, '' AS reason\n",
                StringComparison.Ordinal));

        Assert.True(result.ExitCode == 1, result.ToString());
        var fault = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"{Id}.yaml:25:7: T2: it names no evidence", fault, StringComparison.Ordinal);
        Assert.Contains("1 control read, 1 fault, 0 warnings", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_over_inputs_alone_is_valid()
    {
        var result = await ValidateAsync(Control);

        Assert.True(result is { ExitCode: 0, Error: "" }, result.ToString());
        Assert.Contains("1 control read, 0 faults, 0 warnings", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clause_that_does_not_exist_is_an_error_with_its_place()
    {
        var result = await ValidateAsync(Control.Replace("soc2-tsc: [CC6.1]", "soc2-tsc: [CC6.1, CC6.11], soc2: [CC6.1]", StringComparison.Ordinal));

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains($"{Id}.yaml:14:33: soc2-tsc has no clause 'CC6.11'; did you mean 'CC6.1'?", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{Id}.yaml:14:42: there is no framework 'soc2'; add frameworks/soc2.yaml to the library", result.Error, StringComparison.Ordinal);
        Assert.Contains("1 control read, 2 faults, 0 warnings", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_framework_of_the_library_takes_the_place_of_a_shipped_one()
    {
        _folder.Write("library/frameworks/soc2-tsc.yaml", """
            schema: 1
            title: Ours
            publisher: Us
            version: "1"
            complete: true
            listed: All.
            clauses: { CC6.2: Ours }
            """);
        var result = await ValidateAsync(Control);
        Assert.Contains($"{Id}.yaml:14:26: soc2-tsc has no clause 'CC6.1'; did you mean 'CC6.2'?", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pack_that_is_a_link_is_refused_by_every_command_that_reads_packs()
    {
        var outside = _folder.Write("outside.yaml", $"schema: 1\ntitle: Mine\ncontrols: [{Id}]\n");
        var packs = Directory.CreateDirectory(Path.Combine(_folder.Path, "library", "packs"));
        File.CreateSymbolicLink(Path.Combine(packs.FullName, "mine.yaml"), outside);
        const string said = "mine.yaml:1:1: links are not followed in a library of controls; put the file itself here";

        var validated = await ValidateAsync(Control);
        Assert.True(validated.ExitCode == 1 && validated.Error.Contains(said, StringComparison.Ordinal), validated.ToString());
        foreach (var command in new[] { "controls list --pack mine --controls library", "coverage --pack mine --controls library" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command.Split(' '));
            Assert.True(result.ExitCode == 1 && result.Error.Contains(said, StringComparison.Ordinal), $"{command}\n{result}");
        }
    }

    [Fact]
    public async Task Frameworks_and_packs_of_the_library_are_checked_with_the_controls()
    {
        _folder.Write("library/packs/mine.yaml", "schema: 1\ntitle: Mine\ncontrols: [APD-XSR-904]\n");
        var pack = await ValidateAsync(Control);
        Assert.Contains("mine.yaml:3:12: there is no control 'APD-XSR-904'; did you mean 'APD-XSR-903'?", pack.Error, StringComparison.Ordinal);

        _folder.Write("library/frameworks/house.yaml", "schema: 1\n");
        var framework = await ValidateAsync(Control);
        Assert.Contains("house.yaml:1:1: the key 'clauses' is missing", framework.Error, StringComparison.Ordinal);
        Assert.Equal(1, framework.ExitCode);
    }

    private Task<CommandResult> ValidateAsync(string control)
    {
        _folder.Write(Path.Combine("library", "access-to-programs-and-data", $"{Id}.yaml"), control);
        _folder.Write(Path.Combine("library", "access-to-programs-and-data", $"{Id}.fixtures.yaml"), Fixtures);
        return AuditCommand.RunAsync(_folder.Path, "controls", "validate", "--controls", "library");
    }
}
