using AuditCli.Collectors;
using AuditCli.Controls;

namespace AuditCli.Tests.Commands;

/// <summary>Tests the files that <c>controls new</c> writes.</summary>
public sealed class NewControlTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>An ID of every source, one that no source has, and one of every domain.</summary>
    public static TheoryData<string> NewIds =>
    [
        .. CollectorCatalog.All.Select(c => $"APD-{c.NewControl.Code}-911"), "APD-XSR-911", .. ControlWords.DomainCodes.Select(d => $"{d.Code}-AWS-912"),
    ];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("APD-AWS", "APD-AWS is not an id such as APD-AWS-911")]
    [InlineData("../APD-AWS-911", "../APD-AWS-911 is not an id")]
    [InlineData("ZZZ-AWS-911", "no domain has the code ZZZ; name one with --domain: access-to-programs-and-data, ")]
    [InlineData("ZZZ-AWS-911 --domain access", "--domain access: there is no such domain")]
    [InlineData("APD-AWS-002", "APD-AWS-002 is taken by the shipped library")]
    [InlineData("apd-aws-002", "APD-AWS-002 is taken by the shipped library")]
    public async Task An_id_that_cannot_be_new_is_refused_and_nothing_is_written(string words, string said)
    {
        var run = await AuditCommand.RunAsync(_folder.Path, ["controls", "new", .. words.Split(' ')]);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("controls/access-to-programs-and-data/APD-AWS-911.yaml")]
    [InlineData("controls/access-to-programs-and-data/APD-AWS-911.fixtures.yaml")]
    [InlineData("controls/infrastructure-security/APD-AWS-911.yaml")]
    public async Task A_file_that_exists_is_never_overwritten(string existing)
    {
        var file = _folder.Write(existing, "mine");
        var run = await AuditCommand.RunAsync(_folder.Path, "controls", "new", "APD-AWS-911");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(Path.GetFileName(existing), run.Error, StringComparison.Ordinal);
        Assert.Contains("nothing was written", run.Error, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
        Assert.Equal("mine", await File.ReadAllTextAsync(file));
    }

    [Theory]
    [MemberData(nameof(NewIds))]
    public async Task A_new_control_validates_and_its_cases_pass(string id)
    {
        var run = await AuditCommand.RunAsync(_folder.Path, "controls", "new", id, "--controls", "mine");
        Assert.True(run is { ExitCode: 0, Error: "" }, run.ToString());
        Assert.Contains($"{id}.yaml and its fixtures", run.Output, StringComparison.Ordinal);
        Assert.Equal(id.StartsWith("APD-XSR", StringComparison.Ordinal), run.Output.Contains("items come from a file", StringComparison.Ordinal));

        var valid = await AuditCommand.RunAsync(_folder.Path, "controls", "validate", "--controls", "mine");
        Assert.True(valid.ExitCode == 0, valid.ToString());
        Assert.Contains("1 control read, 0 faults, 6 warnings", valid.Output, StringComparison.Ordinal);
        Assert.All(
            valid.Error.TrimEnd().Split('\n'),
            w => Assert.Contains("warning: a TODO is left; write what it asks for", w, StringComparison.Ordinal));
        var passed = await AuditCommand.RunAsync(_folder.Path, "controls", "test", id, "--controls", "mine");
        Assert.True(passed.ExitCode == 0, passed.ToString());
        Assert.Contains(", 0 fail", passed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_question_added_to_a_new_control_is_answered_by_its_cases()
    {
        await AuditCommand.RunAsync(_folder.Path, "controls", "new", "OPS-XSR-911", "--controls", "mine");
        var control = Assert.Single(Directory.GetFiles(_folder.Path, "OPS-XSR-911.yaml", SearchOption.AllDirectories));
        await File.AppendAllTextAsync(control, "human_attributes: [{ id: H1, question: \"Was it reviewed?\" }]\n");
        var open = await AuditCommand.RunAsync(_folder.Path, "controls", "test", "OPS-XSR-911", "--controls", "mine");
        Assert.True(open.ExitCode != 0, open.ToString());
        Assert.Contains("question H1 is open; answer it in the case: answers: { H1: yes }", open.ToString(), StringComparison.Ordinal);

        var fixtures = control.Replace(".yaml", ".fixtures.yaml", StringComparison.Ordinal);
        var cases = (await File.ReadAllTextAsync(fixtures)).Replace("    expect:", "    answers: { H1: yes }\n    expect:", StringComparison.Ordinal);
        await File.WriteAllTextAsync(fixtures, cases);
        var passed = await AuditCommand.RunAsync(_folder.Path, "controls", "test", "OPS-XSR-911", "--controls", "mine");
        Assert.True(passed.ExitCode == 0, passed.ToString());
        Assert.Contains(", 0 fail", passed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_commands_that_a_new_file_names_check_that_file()
    {
        await AuditCommand.RunAsync(_folder.Path, "controls", "new", "OPS-XSR-911", "--controls", "mine");
        var file = Assert.Single(Directory.GetFiles(_folder.Path, "OPS-XSR-911.yaml", SearchOption.AllDirectories));
        var commands = (await File.ReadAllLinesAsync(file)).Select(l => l.Split("# auditcli ")).Where(l => l.Length == 2).Select(l => l[1]).ToArray();
        Assert.Equal(2, commands.Length);
        foreach (var command in commands)
        {
            var run = await AuditCommand.RunAsync(_folder.Path, command.Replace(", then", "", StringComparison.Ordinal).Split(' '));
            Assert.True(run.ExitCode == 0, $"{command}: {run}");
        }
    }

    [Theory]
    [InlineData("controls validate --controls controls", "library: controls\n")]
    [InlineData("controls test APD-XSR-911", "library: the shipped one; ./controls was not read, which --controls controls does")]
    public async Task A_library_in_the_working_folder_that_was_not_read_is_named(string words, string said)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "controls"));
        var run = await AuditCommand.RunAsync(_folder.Path, words.Split(' '));
        Assert.Contains(said, run.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_domain_can_be_named_for_a_code_of_ones_own()
    {
        var run = await AuditCommand.RunAsync(_folder.Path, "controls", "new", "ZZZ-AWS-911", "--domain", "data-integrity");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.True(File.Exists(Path.Combine(_folder.Path, "controls", "data-integrity", "ZZZ-AWS-911.yaml")));
        var valid = await AuditCommand.RunAsync(_folder.Path, "controls", "validate", "--controls", "controls");
        Assert.True(valid.ExitCode == 0, valid.ToString());
    }
}
