namespace AuditCli.Tests.Commands;

public sealed class ColumnsTests
{
    [Fact]
    public async Task Columns_say_what_a_row_is_by_which_code_there_is_none_and_every_type()
    {
        using var folder = new TemporaryFolder();

        var told = await AuditCommand.RunAsync(folder.Path, "controls", "columns", "aws", "ecr:GetLifecyclePolicy");

        Assert.Equal(0, told.ExitCode);
        var lines = told.Output.ReplaceLineEndings("\n").Split('\n');
        Assert.Equal("ecr:GetLifecyclePolicy: called in every region", lines[0]);
        Assert.Equal("  rows: one, the whole response", lines[1]);
        Assert.Equal(
            "  LifecyclePolicyNotFoundException means 'there is none'; "
            + "allow_errors: { LifecyclePolicyNotFoundException: empty } turns it into no rows",
            lines[2]);
        Assert.Contains(
            lines,
            l => l.StartsWith("  takes repositoryName ", StringComparison.Ordinal) && l.EndsWith("text, required", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("  lastEvaluatedAt ", StringComparison.Ordinal) && l.EndsWith(" timestamp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_operation_says_why()
    {
        using var folder = new TemporaryFolder();

        var told = await AuditCommand.RunAsync(folder.Path, "controls", "columns", "aws", "kinesis:GetRecords");

        Assert.Equal(1, told.ExitCode);
        Assert.Contains("is refused because it returns data, not configuration", told.Error, StringComparison.Ordinal);
    }
}
