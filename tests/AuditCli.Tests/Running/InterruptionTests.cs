namespace AuditCli.Tests.Running;

/// <summary>Checks that a run that cannot finish leaves what it collected, and nothing that looks like a bundle.</summary>
public sealed class InterruptionTests
{
    [Fact]
    public async Task Ctrl_C_keeps_what_was_collected_and_seals_nothing()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        using var server = new IamServer(users: 5000, delay: TimeSpan.FromMilliseconds(20));
        using var process = AuditCommand.Start(folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        var error = process.StandardError.ReadToEndAsync();
        for (var waited = 0; server.Answered < 50 && waited < 600; waited++)
            await Task.Delay(100);
        Assert.True(server.Answered >= 50, "the run did not begin to ask");
        Signal.Send(process, Signal.Interrupt);
        await AuditCommand.EndAsync(process);

        Assert.True(process.ExitCode == 130, $"{process.ExitCode} {await error}");
        var partial = Assert.Single(Directory.GetDirectories(Path.Combine(folder.Path, "out"), "*.partial"));
        Assert.Contains($"'auditcli run --resume {partial}' goes on from there", await error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(partial, "manifest-sha256.txt")));
        Assert.True(new FileInfo(Path.Combine(partial, "data", "exchanges", "prod", "iam-aws-global.warc.gz")).Length > 1000);
    }

    [NeedsFact("root", "unshare", "mount", "sh", "find")]
    public async Task A_full_disk_is_named_and_seals_nothing()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        var small = Directory.CreateDirectory(Path.Combine(folder.Path, "small")).FullName;
        using var server = new IamServer(users: 3000, delay: TimeSpan.Zero);
        // The mount is in a namespace of the process, so it disappears when the process exits.
        var result = await AuditCommand.ProcessAsync(
            folder.Path,
            AwsEnvironment.At(server.Url),
            ["unshare", "-m", "--", "sh", "-c", $"mount -t tmpfs -o size=192k none '{small}' && \"$@\"; code=$?; find '{small}' >&2; exit $code", "sh"],
            "run", "engagement.yaml", "--out", small);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("No space left", result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("manifest-sha256.txt", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}
