using System.Text.Json;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Reperformance;

/// <summary>Tests <c>reperform</c>: it repeats the run from the bundle alone, and names what somebody changed consistently.</summary>
public sealed class ReperformTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private const string Keys = "data/exchanges/prod/iam-aws-global.warc.gz";
    private const string Item = "APD-AWS-004 T1 prod 111122223333 user000001/AKIAUSER000001";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_altered_answer_is_named_with_the_item_it_changes()
    {
        var bundle = Copy();
        BundleForgery.EditExchanges(Path.Combine(bundle, Keys), r => OldKey(r, honest: true));
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("bundle   verifies", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{Item}: verdict pass -> deviation", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            "because evidence access_keys differs (iam:ListAccessKeys in prod 111122223333 aws-global): the exchanges give other rows: row 2 (",
            result.Output,
            StringComparison.Ordinal);
        Assert.Contains("CreateDate 2026-11-01T00:00:00Z -> 2026-01-01T00:00:00Z", result.Output, StringComparison.Ordinal);
        Assert.Contains("APD-AWS-004: conclusion PASS -> FAIL", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("user000002", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_altered_without_its_digests_is_not_read()
    {
        var bundle = Copy();
        BundleForgery.EditExchanges(Path.Combine(bundle, Keys), r => OldKey(r, honest: false));
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("NOT COMPARED", result.Output, StringComparison.Ordinal);
        Assert.Contains("the block digest does not match", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removed_answer_makes_what_needs_it_undecided_and_says_so()
    {
        var bundle = Copy();
        var asked = "";
        BundleForgery.EditExchanges(Path.Combine(bundle, Keys), r =>
        {
            if (r.Type == "request" && Text(r).Contains("ListAccessKeys", StringComparison.Ordinal) && Text(r).Contains("user000001", StringComparison.Ordinal))
                asked = r.Id;
            return asked.Length > 0 && (r.Id == asked || r.ConcurrentTo == asked) ? null : r;
        });
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("because an exchange that it needs is not recorded", result.Output, StringComparison.Ordinal);
        Assert.Contains("APD-AWS-004: conclusion PASS -> INCONCLUSIVE", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{Item}: item pass -> nothing", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_edited_verdict_is_named_and_the_evidence_is_cleared()
    {
        var bundle = Copy();
        BundleForgery.Replace(
            bundle,
            "data/results/apd-aws-004.t1.ndjson",
            "\"item\":\"user000001/AKIAUSER000001\",\"pass\":true,\"verdict\":\"pass\"",
            "\"item\":\"user000001/AKIAUSER000001\",\"pass\":false,\"verdict\":\"deviation\"");
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("tables   identical", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{Item}: verdict deviation -> pass", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            "because results.json has the digest of the re-performed rows, so the file was changed afterwards",
            result.Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_that_names_another_version_than_made_it_is_found_out()
    {
        var bundle = Copy();
        BundleForgery.Replace(bundle, "data/run.json", "\"version\":\"" + AuditCli.Tool.Version.Split('+')[0], "\"version\":\"0.0.9");
        BundleForgery.Replace(bundle, "data/reports/summary.md", "PASS", "FAIL");
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("summary.md differs when recreated", result.Output, StringComparison.Ordinal);
        Assert.Contains("data/run.json: tool auditcli 0.0.9 -> auditcli ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_contradicts_itself_about_replay_and_live_is_not_believed()
    {
        var bundle = Copy();
        BundleForgery.Replace(bundle, "data/run.json", "\"mode\":\"live\"", "\"mode\":\"replay\"");
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(
            "run.json contradicts itself: its mode is replay, and it does not say when exchanges were recorded",
            result.Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_in_another_order_are_not_identical()
    {
        var bundle = Copy();
        var file = Path.Combine(bundle, "data/results/apd-aws-004.t1.ndjson");
        File.WriteAllLines(file, File.ReadAllLines(file).Reverse());
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("apd-aws-004.t1.ndjson: bytes", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_edited_conclusion_is_named_with_old_and_new()
    {
        var bundle = Copy();
        BundleForgery.Replace(bundle, "data/results/results.json", "\"conclusion\":\"PASS\",\"title\"", "\"conclusion\":\"NO_OCCURRENCE\",\"title\"");
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("results  DIFFER (1)", result.Output, StringComparison.Ordinal);
        Assert.Contains("APD-AWS-004: conclusion NO_OCCURRENCE -> PASS", result.Output, StringComparison.Ordinal);
        Assert.Contains("the results were edited", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_or_index_line_edited_alone_is_told_from_the_exchanges()
    {
        var bundle = Copy();
        var table = Directory.GetFiles(Path.Combine(bundle, "data", "tables"), "aws-iam-listaccesskeys-*.ndjson.gz")
            .Single(f => !f.Contains(".calls.", StringComparison.Ordinal));
        BundleForgery.ReplaceInTable(table, "AKIAUSER000002", "AKIAUSER000009");
        BundleForgery.Replace(
            bundle,
            "data/evidence/index.jsonl",
            "\"operation\":\"iam:ListUsers\",\"parameters\":{},\"outcome\":\"complete\",\"pages\":1",
            "\"operation\":\"iam:ListUsers\",\"parameters\":{},\"outcome\":\"complete\",\"pages\":2");
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        const string Said = "the index names the rebuilt table, so the file was changed afterwards: row 3";
        Assert.True(result.Output.Contains(Said, StringComparison.Ordinal), result.ToString());
        Assert.Contains("AccessKeyId AKIAUSER000009 -> AKIAUSER000002", result.Output, StringComparison.Ordinal);
        Assert.Contains("iam:ListUsers in prod 111122223333 aws-global: pages 2 -> 1", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default: 90", "default: 10", "because the bundle's control file is not the one that was evaluated (sha256 ")]
    [InlineData("title: Long-lived", "titel: Long-lived", "it cannot be loaded: unknown key 'titel'")]
    public async Task A_control_edited_in_the_bundle_is_not_taken_for_the_one_that_ran(string what, string with, string said)
    {
        var bundle = Copy();
        BundleForgery.Replace(bundle, "data/controls/apd-aws-004.yaml", what, with);
        var result = await ResealedAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("tables   ", result.Output, StringComparison.Ordinal);
        Assert.Contains(said, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_that_does_not_verify_is_still_compared_where_it_can_be()
    {
        var bundle = Copy();
        File.AppendAllText(Path.Combine(bundle, "data", "log.clef"), "{}\n");
        var result = await ReperformAsync(bundle);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("bundle   FAILS         CONTENT_MODIFIED data/log.clef", result.Output, StringComparison.Ordinal);
        Assert.Contains("results  identical", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_or_pipe_in_the_bundle_is_never_opened()
    {
        var bundle = Copy();
        var file = Path.Combine(bundle, "data", "controls", "apd-aws-004.yaml");
        File.Delete(file);
        PosixFiles.MakePipe(file);
        var result = await ReperformAsync(bundle).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("NOT COMPARED  data/controls/apd-aws-004.yaml is not a regular file", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_never_sealed_is_no_bundle_to_compare()
    {
        var bundle = Copy();
        Directory.Move(bundle, bundle + ".partial");
        var partial = await ReperformAsync(bundle + ".partial");
        Assert.Equal(2, partial.ExitCode);
        Assert.Contains("never sealed", partial.Output, StringComparison.Ordinal);

        var empty = Directory.CreateDirectory(Path.Combine(_folder.Path, "empty")).FullName;
        var nothing = await ReperformAsync(empty);
        Assert.Equal(1, nothing.ExitCode);
        Assert.Contains("is not a bundle: it has neither bagit.txt nor data", nothing.Error, StringComparison.Ordinal);

        var missing = await ReperformAsync(Path.Combine(_folder.Path, "nowhere"));
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("there is no bundle", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_live_run_gives_the_same_again_and_without_a_signature_stays_undecided()
    {
        var result = await ReperformAsync(account.Bundle);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("tables   identical", result.Output, StringComparison.Ordinal);
        Assert.Contains("results  identical     1 control with 3 items", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("note:", result.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await AuditCommand.RunAsync(_folder.Path, "reperform", account.Bundle)).ExitCode);
    }

    [Fact]
    public async Task An_account_that_refused_its_role_live_fails_again_with_its_own_words()
    {
        using var server = new IamServer(users: 1, delay: TimeSpan.Zero, fault: (action, _) => action == "AssumeRole" ? ServerFault.Denied : ServerFault.None);
        _folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004")
            .Replace("regions:", "role_arn: \"arn:aws:iam::111122223333:role/Audit\", regions:", StringComparison.Ordinal));
        var run = await AuditCommand.ProcessAsync(_folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 3, run.ToString());
        var result = await ReperformAsync(AuditCommand.TheBundle(Path.Combine(_folder.Path, "out")));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("failed before anything was sent", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_with_nothing_to_ask_about_gives_the_same_nothing_again()
    {
        using var server = new IamServer(users: 0, delay: TimeSpan.Zero);
        _folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        var run = await AuditCommand.ProcessAsync(_folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 0, run.ToString());
        var result = await ReperformAsync(AuditCommand.TheBundle(Path.Combine(_folder.Path, "out")));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("note:", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_comparison_as_json_is_the_same_bytes_every_time()
    {
        var bundle = Copy();
        BundleForgery.EditExchanges(Path.Combine(bundle, Keys), r => OldKey(r, honest: true));
        BundleForgery.Reseal(bundle);
        var first = await ReperformAsync(bundle, "--output", "json");
        Assert.Equal(first.Output, (await ReperformAsync(bundle, "--output", "json")).Output);
        var json = JsonDocument.Parse(first.Output).RootElement;
        Assert.Equal(2, json.GetProperty("exit_code").GetInt32());
        Assert.Equal(0, json.GetProperty("verification").GetProperty("exit_code").GetInt32());
        Assert.Contains(
            json.GetProperty("results").GetProperty("differences").EnumerateArray(),
            d => d.GetProperty("where").GetString() == Item && d.GetProperty("after").GetString() == "deviation");
    }

    [Fact]
    public async Task Another_threshold_shows_exactly_the_items_it_changes()
    {
        var same = await ReperformAsync(account.Bundle, "--controls", Repository.Path("controls"));
        Assert.True(same.ExitCode == 0, same.ToString());
        Assert.Contains("1 control reaches the same conclusion", same.Output, StringComparison.Ordinal);

        var stricter = await ReperformAsync(account.Bundle, "--controls", Library(c => c
            .Replace("default: 90", "default: 10", StringComparison.Ordinal)
            .Replace("version: 1.3.1", "version: 1.4.0", StringComparison.Ordinal)));
        Assert.Equal(2, stricter.ExitCode);
        Assert.Contains("APD-AWS-004  PASS -> FAIL (3 items changed, version 1.3.1 -> 1.4.0)", stricter.Output, StringComparison.Ordinal);
        Assert.Contains("parameter max_age_days was 90 and is 10", stricter.Output, StringComparison.Ordinal);
        Assert.Contains($"{Item}: verdict pass -> deviation", stricter.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_control_that_asks_what_was_never_asked_cannot_conclude()
    {
        var library = Library(c => c
            .Replace("  account_summary:   {", "  aliases: { aws: iam:ListAccountAliases }\n  account_summary:   {", StringComparison.Ordinal)
            .Replace("    stands_when_incomplete: true\n", "", StringComparison.Ordinal)
            .Replace(
                "        WHERE k.Status = 'Active'\n",
                "        WHERE k.Status = 'Active' AND (SELECT count(*) FROM aliases) >= 0\n",
                StringComparison.Ordinal));
        var result = await ReperformAsync(account.Bundle, "--controls", library);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("PASS -> INCONCLUSIVE", result.Output, StringComparison.Ordinal);
        Assert.Contains("iam:ListAccountAliases was not called by the original run, so it is not recorded", result.Output, StringComparison.Ordinal);

        var broken = await ReperformAsync(account.Bundle, "--controls", Library(c => c.Replace(
            "FROM access_keys k\n        WHERE k.Status = 'Active'\n", "FROM no_such_table k\n", StringComparison.Ordinal)));
        Assert.True(broken.ExitCode == 1, broken.ToString());
        Assert.Contains("APD-AWS-004.yaml:", broken.Error, StringComparison.Ordinal);
    }

    [NeedsFact("root", "unshare")]
    public async Task The_sample_is_identical_without_network_home_or_original_files_and_leaves_nothing()
    {
        // The copy is far from the files that its engagement names by relative path.
        using var sample = new SampleRun();
        await sample.InitializeAsync();
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "elsewhere"));
        var temporary = Directory.CreateDirectory(Path.Combine(_folder.Path, "tmp")).FullName;
        var surroundings = new Dictionary<string, string> { ["TMPDIR"] = temporary, ["HOME"] = "/nonexistent", ["DOTNET_CLI_HOME"] = temporary };
        var result = await AuditCommand.ProcessAsync(_folder.Path, surroundings, ["unshare", "-n", "--"], "reperform", bundle, "--allow-unsigned");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("a REPLAY of recorded exchanges", result.Output, StringComparison.Ordinal);
        Assert.Contains("results  identical", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(temporary, "auditcli-*"));
    }

    [Fact]
    public async Task Ctrl_C_leaves_nothing_behind()
    {
        using var server = new IamServer(users: 2000, delay: TimeSpan.Zero);
        _folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        var run = await AuditCommand.ProcessAsync(_folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 0, run.ToString());
        var temporary = Directory.CreateDirectory(Path.Combine(_folder.Path, "tmp")).FullName;
        var environment = new Dictionary<string, string> { ["TMPDIR"] = temporary };
        using var process = AuditCommand.Start(
            _folder.Path, environment, [], "reperform", AuditCommand.TheBundle(Path.Combine(_folder.Path, "out")), "--allow-unsigned");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        // The process is stopped in the middle of its work, so that the signal does not come too late on a fast machine.
        bool HasBegun() => Directory.EnumerateDirectories(temporary, "*.partial", SearchOption.AllDirectories).Any();
        var begun = HasBegun();
        for (var waited = 0; !begun && waited < 12_000 && !process.HasExited; waited++)
        {
            await Task.Delay(5);
            begun = HasBegun();
        }
        Assert.True(begun, $"no work had begun; {(process.HasExited ? $"{process.ExitCode} {await output} {await error}" : "it still runs")}");
        foreach (var signal in new[] { Signal.Stop, Signal.Interrupt, Signal.Continue })
            Signal.Send(process, signal);
        await AuditCommand.EndAsync(process);
        Assert.True(process.ExitCode == 130, $"{process.ExitCode} {await output} {await error}");
        Assert.Empty(Directory.GetDirectories(temporary, "auditcli-*"));
    }

    private string Copy() => BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, "copy"));

    private Task<CommandResult> ResealedAsync(string bundle)
    {
        BundleForgery.Reseal(bundle);
        return ReperformAsync(bundle);
    }

    private Task<CommandResult> ReperformAsync(string bundle, params string[] more) =>
        AuditCommand.RunAsync(_folder.Path, ["reperform", bundle, "--allow-unsigned", .. more]);

    /// <summary>Returns a library that holds only the one control, changed.</summary>
    private string Library(Func<string, string> change)
    {
        var text = File.ReadAllText(Repository.Path("controls", "access-to-programs-and-data", "APD-AWS-004.yaml"));
        Assert.NotEqual(text, change(text));
        _folder.Write("library/access-to-programs-and-data/APD-AWS-004.yaml", change(text));
        return Path.Combine(_folder.Path, "library");
    }

    private static Evidence.Warc.WarcRecord OldKey(Evidence.Warc.WarcRecord record, bool honest) =>
        record.Type == "response" && Text(record).Contains("<AccessKeyId>AKIAUSER000001<", StringComparison.Ordinal)
            ? BundleForgery.WithBody(record, "2026-11-01", "2026-01-01", honest)
            : record;

    private static string Text(Evidence.Warc.WarcRecord record) => System.Text.Encoding.UTF8.GetString(record.Block.Span);
}

/// <summary>A live run against a loopback account with three users, shared by several tests.</summary>
public sealed class OneAccount : IAsyncLifetime, IDisposable
{
    private static readonly MadeOnce<CommandResult> Once = new(async folder =>
    {
        using var server = new IamServer(users: 3, delay: TimeSpan.Zero);
        await File.WriteAllTextAsync(Path.Combine(folder, "engagement.yaml"), AwsEnvironment.Engagement("APD-AWS-004"));
        var run = await AuditCommand.ProcessAsync(folder, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 0, run.ToString());
        return run;
    });

    private readonly TemporaryFolder _folder = new();

    public string Bundle { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await Once.CopyToAsync(_folder.Path);
        Bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}
