using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Evidence;

namespace AuditCli.Tests;

/// <summary>Takes each operation away from the sample in turn: what was not read may hide, never clear and never accuse.</summary>
public sealed class DenialTests(SampleRun sample) : IClassFixture<SampleRun>
{
    [Fact]
    public async Task A_denied_operation_never_becomes_a_pass_and_never_accuses_an_item_that_passes()
    {
        var passing = Items(sample.Bundle, "pass");
        var controls = SampleTests.Results(sample.Bundle).GetProperty("controls").EnumerateArray().ToArray();
        var index = File.ReadLines(Path.Combine(sample.Bundle, "data", "evidence", "index.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        var operations = index.Where(i => i.GetProperty("source").GetString() == "aws" && i.GetProperty("names").GetArrayLength() > 0)
            .GroupBy(i => i.GetProperty("operation").GetString()!, i => i.GetProperty("names").EnumerateArray().Select(n => n.GetProperty("control").GetString()!))
            .ToDictionary(g => g.Key, g => g.SelectMany(n => n).ToHashSet());
        Assert.True(operations.Count >= 15, string.Join(" ", operations.Keys));

        foreach (var (operation, users) in operations)
        {
            using var folder = new TemporaryFolder();
            var result = await RunDenyingAsync(folder.Path, operation);
            Assert.True(result.ExitCode is 2 or 3, $"{operation}: {result}");
            var bundle = AuditCommand.TheBundle(folder.Path);
            foreach (var control in SampleTests.Results(bundle).GetProperty("controls").EnumerateArray())
            {
                var id = control.GetProperty("id").GetString()!;
                var conclusion = control.GetProperty("conclusion").GetString();
                if (users.Contains(id))
                    Assert.True(conclusion is "INCONCLUSIVE" or "FAIL", $"without {operation}, {id} is {conclusion}");
                else
                    Assert.Equal(controls.Single(c => c.GetProperty("id").GetString() == id).GetProperty("conclusion").GetString(), conclusion);
            }
            var accused = Items(bundle, "deviation");
            Assert.True(!accused.Overlaps(passing), $"without {operation}, accused: {string.Join(", ", accused.Intersect(passing))}");
        }
    }

    [Fact]
    public async Task An_account_that_cannot_be_entered_is_a_limitation_of_every_control()
    {
        using var folder = new TemporaryFolder();
        var result = await RunDenyingAsync(folder.Path, "connect:dev");
        Assert.True(result.ExitCode is 2 or 3, result.ToString());
        foreach (var control in SampleTests.Results(AuditCommand.TheBundle(folder.Path)).GetProperty("controls").EnumerateArray())
        {
            Assert.True(control.GetProperty("conclusion").GetString() is "INCONCLUSIVE" or "FAIL", control.ToString());
            Assert.Contains(control.GetProperty("limitations").EnumerateArray(), l => l.GetProperty("target").GetString() == "dev" && l.GetProperty("code").GetString() == "AccessDenied");
        }
    }

    private static Task<CommandResult> RunDenyingAsync(string folder, string operation) => AuditCommand.RunAsync(
        folder,
        [.. CollectorCatalog.All.Select(c => c with { Open = context => new DenyingCollector(c.Open(context), operation) })],
        "run", Repository.Path("samples", "engagement.yaml"), "--out", folder);

    /// <summary>Every item with that verdict, as control test account item.</summary>
    private static HashSet<string> Items(string bundle, string verdict) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(bundle, "data", "results"), "*.ndjson").SelectMany(file => File.ReadLines(file)
            .Select(l => JsonDocument.Parse(l).RootElement)
            .Where(r => r.GetProperty("verdict").GetString() == verdict)
            .Select(r => $"{Path.GetFileNameWithoutExtension(file)} {r.GetProperty("account").GetString()} {r.GetProperty("item").GetString()}")),
    ];

    /// <summary>The real collector with one operation taken away, as a provider would: no page, and its own words.</summary>
    private sealed class DenyingCollector(ICollector inner, string denied) : ICollector
    {
        public ImmutableArray<string> UnusualEndpoints => inner.UnusualEndpoints;

        public Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken) => denied == "connect:" + target.Name
            ? throw Denied()
            : inner.ConnectAsync(target, cancellationToken);

        public async IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (request.Operation.Name == denied)
                throw Denied();
            await foreach (var page in inner.CollectAsync(request, cancellationToken))
                yield return page;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private CollectionException Denied() => new("AccessDenied", $"not authorized to perform: {denied}");
    }
}
