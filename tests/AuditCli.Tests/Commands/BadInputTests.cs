using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Tests.Commands;

/// <summary>
/// Checks that each mistake of a user is reported with its place and the right exit code, and leaves nothing that looks like a bundle.
/// </summary>
public sealed class BadInputTests
{
    private const string Engagement = """
        schema: 1
        entity: Example Exchange
        name: Bad input
        period: { start: 2026-09-01, end: 2026-11-15 }
        preparer: A. Preparer
        reviewer: R. Reviewer
        library: controls
        controls:
          include: [APD-AWS-002]
        inputs:
          break-glass-register: { file: register.csv, obtained_from: Security, obtained_on: 2026-11-16, how: watched the export, stated_rows: 1 }
        targets:
          prod: { aws: { role_arn: "arn:aws:iam::111122223333:role/AuditReadOnly", regions: [us-east-1, eu-west-1] } }
        replay: exchanges
        """;

    private const string Register =
        "arn,approved_by,approved_on,reason,expires\narn:aws:iam::111122223333:user/nobody,R. Reviewer,2026-09-01,drill,2026-12-31\n";

    [Theory]
    [InlineData("name: Bad input", "nmae: Bad input", "engagement.yaml:3:1", "nmae")]
    [InlineData("name: Bad input", "name: Bad input\nname: Twice", "engagement.yaml:4:1", "name")]
    [InlineData("name: Bad input", "name: &a [x]\nentity2: *a", "engagement.yaml:3", "anchor")]
    [InlineData("name: Bad input", "name: [a, b]", "engagement.yaml:3:7", "name")]
    [InlineData("end: 2026-11-15", "end: 2026-08-15", "engagement.yaml:4", "period")]
    [InlineData("reviewer: R. Reviewer", "reviewer: a. preparer", "engagement.yaml:6", "preparer")]
    [InlineData("file: register.csv", "file: nowhere.csv", "engagement.yaml:11", "nowhere.csv")]
    [InlineData("file: register.csv", "file: ../register.csv", "engagement.yaml:11", "../register.csv")]
    [InlineData("targets:", "targets:\n  prod: { aws: { profile: other } }", "engagement.yaml", "prod")]
    [InlineData("prod: { aws:", "prod: { azure:", "engagement.yaml:13", "azure")]
    [InlineData("include: [APD-AWS-002]", "include: [APD-AWS-999]", "engagement.yaml:9", "APD-AWS-999")]
    [InlineData("replay: exchanges", "replay: nowhere", "engagement.yaml:14", "nowhere")]
    [InlineData("schema: 1", "schema: 2", "engagement.yaml:1", "schema")]
    public async Task A_fault_in_the_engagement_is_named_and_nothing_is_collected(string right, string wrong, string place, string word)
    {
        using var folder = Folder(Engagement.Replace(right, wrong, StringComparison.Ordinal));
        await RefusedAsync(folder, place, word);
    }

    [Theory]
    [InlineData("iam:ListUsers", "iam:ListUser", "'iam:ListUser' is not in the read-only catalogue of aws; did you mean iam:ListUsers")]
    [InlineData("iam:ListUsers", "s3:GetObject", "'s3:GetObject' is not in the read-only catalogue of aws; s3:GetObject is refused because ")]
    [InlineData("owner:", "ownr:", "ownr")]
    [InlineData("CASE", "read_csv('/etc/passwd') CASE", "APD-AWS-002.yaml")]
    public async Task A_fault_in_a_control_is_named_and_nothing_is_collected(string right, string wrong, string word)
    {
        using var folder = Folder(Engagement);
        var control = Path.Combine(folder.Path, "controls", "access-to-programs-and-data", "APD-AWS-002.yaml");
        var text = await File.ReadAllTextAsync(control);
        if (!text.Contains(right, StringComparison.Ordinal))
            (right, wrong) = ("SELECT", "SELECT * FROM read_csv('/etc/passwd'); SELECT");
        await File.WriteAllTextAsync(control, text.Replace(right, wrong, StringComparison.Ordinal));
        await RefusedAsync(folder, "APD-AWS-002.yaml:", word);
    }

    [Theory]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT u.Nonsense AS item, true AS pass, '' AS reason FROM users u")]
    public async Task Sql_that_is_not_one_select_over_the_evidence_is_refused_before_anything_is_asked(string sql)
    {
        using var folder = Folder(Engagement);
        var control = Path.Combine(folder.Path, "controls", "access-to-programs-and-data", "APD-AWS-002.yaml");
        var lines = await File.ReadAllLinesAsync(control);
        var start = Array.FindIndex(lines, l => l.TrimStart().StartsWith("sql: |", StringComparison.Ordinal));
        var indent = lines[start].Length - lines[start].TrimStart().Length;
        var end = Array.FindIndex(lines, start + 1, l => l.Trim().Length > 0 && l.Length - l.TrimStart().Length <= indent);
        await File.WriteAllLinesAsync(control, [.. lines[..start], $"{new string(' ', indent)}sql: \"{sql}\"", .. lines[end..]]);
        await RefusedAsync(folder, "APD-AWS-002.yaml:", "");
    }

    [Fact]
    public async Task A_file_with_other_rows_than_stated_makes_its_control_inconclusive()
    {
        using var folder = Folder(Engagement.Replace("stated_rows: 1", "stated_rows: 57", StringComparison.Ordinal));
        await InconclusiveAsync(folder, "57");
    }

    [Theory]
    [InlineData(
        "arn,approved_by,reason\nx,y,z\n",
        "register.csv:1: no column 'approved_on', 'expires'; the header has 3 columns, of which the declared ones are ")]
    [InlineData("arn;approved_by;approved_on;reason;expires\n", "register.csv:1: columns are separated by semicolons")]
    [InlineData("arn,approved_by,approved_on,reason,expires\nx,y\n", "register.csv:2: 2 fields where the header has 5")]
    [InlineData(
        "arn,approved_by,approved_on,reason,expires\nx,y,2026-09-01,see ghp_16C7e42F292c6912E7710c838347Ae178B4a,2026-12-31\n",
        "register.csv:2: holds what looks like a credential")]
    public async Task A_file_that_cannot_be_read_as_declared_is_refused_before_anything_is_asked(string csv, string word)
    {
        using var folder = Folder(Engagement);
        folder.Write("register.csv", csv);
        await RefusedAsync(folder, "register.csv:", word);
    }

    [Fact]
    public async Task A_file_in_UTF_16_is_refused_before_anything_is_asked()
    {
        using var folder = Folder(Engagement);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "register.csv"), Register, System.Text.Encoding.Unicode);
        await RefusedAsync(folder, "register.csv:1:", "UTF-16");
    }

    [Fact]
    public async Task Doctor_reads_the_files_too()
    {
        using var folder = Folder(Engagement);
        folder.Write("register.csv", "arn\nx\n");
        var result = await AuditCommand.RunAsync(folder.Path, "doctor", "engagement.yaml");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.StartsWith("register.csv:1: no column 'approved_by'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_credential_in_the_engagement_is_refused_before_anything_is_asked()
    {
        using var folder = Folder(Engagement.Replace(
            "how: watched the export", "how: \"with token ghp_16C7e42F292c6912E7710c838347Ae178B4a\"", StringComparison.Ordinal));
        await RefusedAsync(folder, "engagement.yaml:11:", "holds what looks like a credential");
    }

    [Fact]
    public async Task The_path_of_a_file_is_the_users_own()
    {
        using var folder = Folder(Engagement);
        folder.Write("register.csv", "nothing\n");
        var engagement = Path.Combine(Path.GetFileName(folder.Path), "engagement.yaml");
        var result = await AuditCommand.RunAsync(Path.GetDirectoryName(folder.Path)!, "run", engagement, "--out", "out");
        Assert.StartsWith(Path.Combine(Path.GetFileName(folder.Path), "register.csv") + ":1: no column", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("arn:aws:iam::111122223333:user/nobody,R. Reviewer,2026-09-01,drill,", "register.csv:2: no expires; this approval does not count")]
    [InlineData("arn:aws:iam::111122223333:user/nobody,,2026-09-01,drill,2026-12-31", "register.csv:2: no approved_by; this approval does not count")]
    [InlineData(
        "arn:aws:iam::111122223333:user/nobody,R. Reviewer,1 Sept,drill,2026-12-31",
        "register.csv:2: approved_on is not a day (yyyy-MM-dd); this approval does not count")]
    public async Task One_imperfect_approval_does_not_count_and_the_run_goes_on(string row, string remark)
    {
        using var folder = Folder(Engagement);
        folder.Write("register.csv", Register.Split('\n')[0] + "\n" + row + "\n");
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode is 0 or 2, result.ToString());
        Assert.Contains(remark, result.Error, StringComparison.Ordinal);
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        var control = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "data", "results", "results.json"))).GetProperty("controls")[0];
        Assert.Contains(remark, control.GetProperty("notes").EnumerateArray().Select(n => n.GetString()));
        Assert.Equal(1, control.GetProperty("waivers").GetProperty("expired").GetArrayLength());
        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task What_spreadsheets_leave_behind_is_read_past_and_said()
    {
        using var folder = Folder(Engagement);
        var register = Register
            .Replace("\n", ",,\n", StringComparison.Ordinal)
            .Replace("user/nobody,", "user/nobody\u00a0,", StringComparison.Ordinal);
        folder.Write("register.csv", register + ",,,,,,\n,,,,,,\n");
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode is 0 or 2, result.ToString());
        Assert.Contains("register.csv:2: arn is read without its invisible characters", result.Error, StringComparison.Ordinal);
        Assert.Contains("register.csv: 2 empty rows at the end are ignored", result.Error, StringComparison.Ordinal);
        Assert.Contains("register.csv:1: 2 empty columns without a name are ignored", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_no_control_names_is_attached_and_said_to_be_untested()
    {
        using var folder = Folder(Engagement.Replace(
            "targets:",
            "  policy: { file: policy.PDF, obtained_from: Security, obtained_on: 2026-11-16, how: mail }\ntargets:",
            StringComparison.Ordinal));
        folder.Write("policy.PDF", "%PDF-1.7 no table");
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode is 0 or 2, result.ToString());
        Assert.Contains("attached, not tested: no control of this run reads policy", result.Output, StringComparison.Ordinal);
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        Assert.Equal("%PDF-1.7 no table", await File.ReadAllTextAsync(Path.Combine(bundle, "data", "inputs", "policy", "policy.pdf")));
        var run = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "data", "run.json")));
        var inputs = run.GetProperty("inputs").EnumerateArray().ToDictionary(i => i.GetProperty("name").GetString()!);
        Assert.Equal((false, true), (inputs["policy"].GetProperty("tested").GetBoolean(), inputs["break-glass-register"].GetProperty("tested").GetBoolean()));
        Assert.Equal(Digest.Of("%PDF-1.7 no table"u8).Hex, inputs["policy"].GetProperty("sha256").GetString());
        Assert.Contains("policy", await File.ReadAllTextAsync(Path.Combine(bundle, "data", "reports", "summary.md")), StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task An_output_folder_that_cannot_be_written_is_named()
    {
        using var folder = Folder(Engagement);
        folder.Write("occupied", "a file stands where the folder should be");
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", Path.Combine(folder.Path, "occupied", "out"));
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("occupied", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_nobody_knows_is_a_usage_error()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--sing", "key");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--sing", result.Error, StringComparison.Ordinal);
    }

    private static TemporaryFolder Folder(string engagement)
    {
        var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", engagement);
        folder.Write("register.csv", Register);
        Copy(Repository.Path("controls"), Path.Combine(folder.Path, "controls"));
        Copy(Repository.Path("samples", "exchanges"), Path.Combine(folder.Path, "exchanges"));
        return folder;
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static async Task RefusedAsync(TemporaryFolder folder, string place, string word)
    {
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(place, result.Error, StringComparison.Ordinal);
        Assert.Contains(word, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")), "something was written");
    }

    private static async Task InconclusiveAsync(TemporaryFolder folder, string word)
    {
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode is 3, result.ToString());
        Assert.Contains("INCONCLUSIVE", result.Output, StringComparison.Ordinal);
        Assert.Contains(word, result.Output, StringComparison.Ordinal);
    }
}
