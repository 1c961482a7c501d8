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
        Assert.Contains("1 controls read, 1 faults, 0 warnings", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_over_inputs_alone_is_valid()
    {
        var result = await ValidateAsync(Control);

        Assert.True(result is { ExitCode: 0, Error: "" }, result.ToString());
        Assert.Contains("1 controls read, 0 faults, 0 warnings", result.Output, StringComparison.Ordinal);
    }

    private Task<CommandResult> ValidateAsync(string control)
    {
        _folder.Write(Path.Combine("library", "access-to-programs-and-data", $"{Id}.yaml"), control);
        _folder.Write(Path.Combine("library", "access-to-programs-and-data", $"{Id}.fixtures.yaml"), Fixtures);
        return AuditCommand.RunAsync(_folder.Path, "controls", "validate", "--controls", "library");
    }
}
