using System.Collections.Immutable;
using System.Text;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Tests.Evaluation;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests;

/// <summary>Checks that controls, engagements and SQL with arbitrary changes are either read or refused with their faults.</summary>
public sealed class FuzzTests
{
    [Fact]
    public void A_changed_control_or_engagement_is_read_or_has_faults()
    {
        byte[][] honest =
        [
            .. Directory.EnumerateFiles(Repository.Path("controls"), "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                .Select(File.ReadAllBytes).Where(c => c.Length < 16 * 1024),
            Encoding.UTF8.GetBytes(Samples.Engagement),
        ];
        var pieces = Words(
            "&a ", "*a", "<<: ", "!!binary ", "? ", "- ", "{", "[", "|\n", ">-\n", "\t", "\0", "#", "'", "\"", "\uFEFF",
            "---\n", "...\n", "null", "~", "1e9", "2026-13-45");
        Fuzz.Changed(honest, pieces, content =>
        {
            _ = YamlDocument.Parse("c.yaml", content);
            _ = ControlLibrary.Load(
                [new LibraryFile("access-to-programs-and-data/APD-AWS-001.yaml", content)],
                TestSources.All,
                ImmutableDictionary<string, Digest>.Empty);
            _ = EngagementLoader.Parse(Path.Combine(Path.GetTempPath(), "engagement.yaml"), content, TestSources.All);
        });
    }

    [Fact]
    public void Changed_SQL_is_admitted_or_refused_soon()
    {
        using var gate = new SqlGate();
        var scope = new SqlScope([new("users", Some.UserColumns), new("devices", Some.Devices.Columns)], ["as_of", "period_start", "period_end", "days"]);
        byte[][] honest = [.. Directory.EnumerateFiles(Repository.Path("controls"), "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(f => !f.EndsWith(".fixtures.yaml", StringComparison.Ordinal))
            .SelectMany(Sql).Append(Some.MfaSql).Select(Encoding.UTF8.GetBytes)];
        Fuzz.Changed(
            honest,
            Words(
                "(", ")", "SELECT ", "UNION ALL ", "WITH a AS (", "CASE WHEN ", "/*", "*/", "--", "'", "\"", "[", "{", "$days",
                "::JSON", "ROLLUP (", "CUBE (a,b,c,d,e,f,g,h)", "GROUPING SETS (", "EXISTS (", "\0", "unnest(", "x -> "),
            content => _ = gate.Check(Encoding.UTF8.GetString(content), scope));
    }

    /// <summary>Returns the SQL texts of a control: what is indented after <c>sql: |</c>.</summary>
    private static IEnumerable<string> Sql(string file)
    {
        var control = File.ReadAllText(file);
        foreach (var block in control.Split("sql: |").Skip(1))
            yield return string.Join('\n', block.Split('\n').Skip(1).TakeWhile(l => l.Length == 0 || l.StartsWith("      ", StringComparison.Ordinal)));
    }

    private static byte[][] Words(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];
}
