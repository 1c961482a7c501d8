using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace AuditCli.Tests.Secrets;

/// <summary>Runs against a cluster whose objects hold secrets, and checks what is sealed and what a stopped seal leaves.</summary>
public sealed class ClusterSecretTests : IDisposable
{
    private const string Password = "Hunter2";

    /// <summary>The forms in which people and programs write a short password into a description.</summary>
    private static readonly string[] Descriptions =
    [
        "password=Hunter2!", "see password=Hunter2! for the rest", "password=\"Hunter2!\"", "password=&quot;Hunter2!&quot;", "password&#61;Hunter2!",
        "password&#x3D;Hunter2&#33;", "pass&#119;ord=Hunter2!", "<password>Hunter2!</password>", "&lt;password&gt;Hunter2!&lt;/password&gt;",
        "{\"password\":\"Hunter2!\"}", "{&quot;password&quot;:&quot;Hunter2!&quot;}",
        "password%3DHunter2%21", "<td title=\"password=Hunter2!\">x</td>", "--password=Hunter2! &amp; more",
        "password=abcd1234 and pass&#119;ord=Hunter2!", "password=x&#33;Hunter2&#33;y", "<a password='Hunter2!'>", "password: &apos;Hunter2!&apos;",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_description_with_a_short_password_is_reported_without_it_and_the_verdict_stands()
    {
        using var cluster = new ClusterServer(_ => Pods(Descriptions));
        var run = await RunAsync(cluster);
        Assert.True(run.ExitCode == 2, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        foreach (var command in new[] { "verify", "reperform" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command, bundle, "--allow-unsigned");
            Assert.True(result.ExitCode == 0, $"{command}: {result}");
        }
        var results = Directory.GetFiles(Path.Combine(bundle, "data", "results"), "*.t?.ndjson").Single();
        var items = File.ReadLines(results).Select(l => JsonElement.Parse(l)).ToArray();
        Assert.Equal(Descriptions.Length, items.Length);
        Assert.All(items, i => Assert.Equal("deviation", i.GetProperty("verdict").GetString()));
        Assert.All(items, i => Assert.Contains("hmac-sha256:", i.GetProperty("reason").GetString(), StringComparison.Ordinal));
        var page = await File.ReadAllTextAsync(Path.Combine(bundle, "data", "reports", "report.html"));
        Assert.All(items, i => Assert.Contains(i.GetProperty("item").GetString()!, page, StringComparison.Ordinal));
        Assert.Contains("hmac-sha256:", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, run + await EverythingAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task What_a_stopped_seal_leaves_holds_no_secret_that_the_cluster_gave()
    {
        var planted = PlantedSecrets.Of("kY3dE5fG").ToArray();
        var added = "";
        // Writes another credential straight into the folder, so that the search before sealing stops the run.
        using var cluster = new ClusterServer(_ =>
        {
            var partial = Directory.GetDirectories(Path.Combine(_folder.Path, "out"), "*.partial").Single();
            File.WriteAllText(added = Path.Combine(partial, "data", "note.txt"), "password" + "=Stopped9it");
            return Pods(planted.Select(p => p.Text));
        });
        var run = await RunAsync(cluster);
        Assert.True(run.ExitCode == 1, run.ToString());
        Assert.Contains("data/note.txt, near character", run.Error, StringComparison.Ordinal);
        Assert.Contains("it came from the provider, not from your files: inspect the file", run.Error, StringComparison.Ordinal);
        Assert.EndsWith(".partial", Directory.GetDirectories(Path.Combine(_folder.Path, "out")).Single(), StringComparison.Ordinal);
        File.Delete(added);
        var everything = run + await EverythingAsync();
        Assert.Contains("pod-00", everything, StringComparison.Ordinal);
        Assert.Equal([], planted.Where(p => everything.Contains(p.Secret, StringComparison.Ordinal)).Select(p => p.Kind));
    }

    /// <summary>Runs one control that copies every pod's note into its results.</summary>
    private Task<CommandResult> RunAsync(ClusterServer cluster)
    {
        _folder.Write("library/access-to-programs-and-data/APD-K8S-900.yaml", """
            schema: 1
            id: APD-K8S-900
            version: 1.0.0
            title: Pods say nothing of themselves
            objective: No pod has a note.
            risk: Tests that what is said goes into reports, and secrets in it do not.
            domain: access-to-programs-and-data
            nature: { type: preventive, execution: automated }
            frequency: continuous
            kind: operating-effectiveness
            mode: point-in-time
            key_control: false
            owner: Tests
            references:
              soc2-tsc: [CC6.1]
            evidence:
              pods: { kubernetes: v1/pods }
            completeness:
              - name: every pod has a name
                sql: SELECT count(p.name) FROM pods p
                equals: SELECT count(*) FROM pods
            tests:
              - id: T1
                attribute: A
                severity: medium
                title: Notes
                sql: |
                  SELECT p.name AS item, FALSE AS pass, p.annotations->>'note' AS reason, p.annotations->>'note' AS note FROM pods p
            recommendation: None.
            """);
        _folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: Example Exchange
            name: Cluster
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: 2026-11-23T00:00:00Z
            as_of_tolerance: 36500d
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: library
            targets:
              trading: { kubernetes: { kubeconfig: kubeconfig } }
            """);
        _folder.Write("kubeconfig", cluster.Kubeconfig);
        return AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out", "-v");
    }

    /// <summary>Returns everything that was written, decompressed too.</summary>
    private async Task<string> EverythingAsync()
    {
        var everything = new StringBuilder(await CredentialTests.EverythingAsync(Path.Combine(_folder.Path, "out")));
        foreach (var workbook in Directory.EnumerateFiles(Path.Combine(_folder.Path, "out"), "*.xlsx", SearchOption.AllDirectories))
        {
            await using var packed = await ZipFile.OpenReadAsync(workbook);
            foreach (var entry in packed.Entries)
            {
                using var reader = new StreamReader(await entry.OpenAsync(), Encoding.UTF8);
                everything.Append(await reader.ReadToEndAsync());
            }
        }
        return everything.ToString();
    }

    /// <summary>Returns one pod for each note, with the note as an annotation.</summary>
    private static byte[] Pods(IEnumerable<string> notes) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        kind = "PodList",
        apiVersion = "v1",
        metadata = new { resourceVersion = "1" },
        items = notes.Select((n, i) => new
        {
            metadata = new { name = $"pod-{i:d2}", uid = $"uid-{i:d2}", @namespace = "audit", annotations = new { note = n } },
            spec = new { nodeName = "a" },
        }),
    });
}
