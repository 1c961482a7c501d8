using System.Collections.Immutable;
using System.Text.RegularExpressions;
using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Planning;
using AuditCli.Libraries;
using AuditCli.Running;

namespace AuditCli.Tests.Running;

/// <summary>The results of the whole sample engagement, made once.</summary>
public sealed class WholeSample : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    internal FinishedRun Run { get; private set; } = null!;

    /// <summary>Evaluates the runs of the class, one after the other: the compiled code of a process serves more than one.</summary>
    internal EvaluationProcess Evaluation { get; } = AuditCommand.Host(Path.GetTempPath()).StartEvaluation();

    public async Task InitializeAsync() => Run = await RunAsync(Evaluation, _folder.Path, text => text, PlanFilter.None);

    public async Task DisposeAsync() => await Evaluation.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    /// <summary>Runs the sample, its engagement edited, in a folder; without reports, which show nothing that the results do not hold.</summary>
    internal static async Task<FinishedRun> RunAsync(
        EvaluationProcess evaluation, string folder, Func<string, string> edit, PlanFilter filter, ImmutableArray<CollectorEntry>? collectors = null,
        int unitsEach = 25, bool reports = false)
    {
        var engagement = SampleFiles.CopyTo(folder);
        File.WriteAllText(engagement, edit(File.ReadAllText(engagement)));
        var host = AuditCommand.Host(folder) with { Collectors = collectors ?? CollectorCatalog.All };
        var subject = new RunSubject(engagement, engagement, null, filter);
        var options = new RunOptions(Path.Combine(folder, "out")) { SealReports = reports, EvaluatesInTwo = false, UnitsEach = unitsEach };
        var (prepared, faults) = await PreparedRun.LoadAsync(subject, host, evaluation, CancellationToken.None);
        Assert.True(prepared is not null, string.Join('\n', faults));
        return await new AuditRun(prepared!, options, host, evaluation, TextWriter.Null).RunAsync(CancellationToken.None);
    }
}

/// <summary>
/// The sample with a part of it left out, each part in turn and every control: no test passes over a part that does not pass over the
/// whole.
/// </summary>
public sealed partial class PartialSampleTests(WholeSample whole) : IClassFixture<WholeSample>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>
    /// The inputs, each with others that no control has in common with it, so that one run without all of them tells what a run without each
    /// would; in <c>.ci/long</c> each by itself besides.
    /// </summary>
    public static TheoryData<string> Inputs
    {
        get
        {
            string[] all = [.. InputNames().Matches(File.ReadAllText(Repository.Path("samples", "engagement.yaml"))).Select(m => m.Groups[1].Value)];
            var controls = ChosenLibrary.Load(null, AuditCommand.Host(Path.GetTempPath())).Controls.Select(c => c.Control).ToArray();
            var together = new List<List<string>>();
            foreach (var input in all)
            {
                var others = together.FirstOrDefault(t => IsOptional(controls, t[0]) == IsOptional(controls, input)
                    && !Users(controls, t).Intersect(Users(controls, [input])).Any());
                if (others is null)
                    together.Add([input]);
                else
                    others.Add(input);
            }
            return [.. together.Select(t => string.Join(',', t)), .. LongRun.IsWhole ? all : []];
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("prod", "TargetLeftOut")]
    [InlineData("dev", "TargetLeftOut")]
    [InlineData("cloud", null)]
    [InlineData("trading", null)]
    [InlineData("prod,dev", null)]
    [InlineData("prod,cloud,trading", "TargetLeftOut")]
    public async Task Targets_that_are_left_out_never_make_a_pass(string targets, string? limitation)
    {
        var run = await WholeSample.RunAsync(whole.Evaluation, _folder.Path, text => text, new([], [.. targets.Split(',')]));

        NothingPassesThatDidNot(run);
        var leavers = run.Results.Controls.SingleOrDefault(c => c.Id == "APD-XSR-001");
        if (limitation is null)
        {
            // All targets of a source are left out, so there is nothing to conclude from.
            Assert.Null(leavers);
            Assert.Contains(run.Results.NotTested, n => n.Id == "APD-XSR-001");
            return;
        }
        if (targets.Contains("trading", StringComparison.Ordinal))
        {
            Assert.Equal(Conclusion.Inconclusive, leavers!.Conclusion);
            Assert.Equal(["dev"], leavers.Limitations.Where(l => l.Code == limitation).Select(l => l.Target).Distinct());
        }
        // The selectors of trails are looked for in every account.
        var trails = run.Results.Controls.Single(c => c.Id == "LOG-AWS-001");
        Assert.Contains(trails.Limitations, l => l.Code == limitation && l.Evidence == "event_selectors");
        Assert.All(trails.Tests.Where(t => t.Id == "T1"), t => Assert.Equal(Conclusion.Inconclusive, t.Conclusion));
    }

    [Theory]
    [InlineData("us-east-1")]
    [InlineData("eu-west-1")]
    public async Task Regions_that_are_left_out_never_make_a_pass(string region)
    {
        var run = await WholeSample.RunAsync(
            whole.Evaluation,
            _folder.Path,
            text => text.Replace("regions: [us-east-1, eu-west-1]", $"regions: [{region}]", StringComparison.Ordinal),
            PlanFilter.None);

        NothingPassesThatDidNot(run);
        Assert.All(
            run.Results.Controls.Where(c => c.Id is "INF-AWS-002" or "LOG-AWS-001"),
            c => Assert.Contains(run.Partitions(c), t => t.Completeness.Any(x => !x.Agree)));
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task An_input_that_is_missing_never_makes_a_pass(string inputs)
    {
        // The others never ask for it. A control that cannot be tested without it is left out of a whole engagement, and refused where it is named.
        var missing = inputs.Split(',');
        var controls = ChosenLibrary.Load(null, AuditCommand.Host(_folder.Path)).Controls.Select(c => c.Control).ToArray();
        Assert.All(missing, i => Assert.NotEmpty(Users(controls, [i])));
        var filter = missing.All(i => IsOptional(controls, i)) ? new PlanFilter([.. Users(controls, missing).Select(c => c.Id)], []) : PlanFilter.None;
        var run = await WholeSample.RunAsync(
            whole.Evaluation,
            _folder.Path, text => missing.Aggregate(text, (t, i) => Regex.Replace(t, $@"(?m)^  {i}:\n(    .*\n)+", "")), filter);

        NothingPassesThatDidNot(run);
    }

    /// <summary>The controls that read some of the inputs.</summary>
    private static IEnumerable<Control> Users(Control[] controls, IReadOnlyList<string> inputs) =>
        controls.Where(c => c.Evidence.Any(e => e.IsFile && inputs.Contains(e.Operation)));

    private static bool IsOptional(Control[] controls, string input) =>
        Users(controls, [input]).All(c => c.Evidence.All(e => e.Operation != input || e.Optional));

    private void NothingPassesThatDidNot(FinishedRun part)
    {
        var passed = Passing(whole.Run);
        Assert.NotEmpty(passed);
        Assert.Empty(Passing(part).Except(passed));
    }

    private static ImmutableHashSet<string> Passing(FinishedRun run) =>
    [
        .. run.Results.Controls.SelectMany(c => run.Partitions(c)
            .Where(t => t.Conclusion is Conclusion.Pass or Conclusion.NoOccurrence)
            .Select(t => $"{c.Id} {t.Id} {t.Partition.Target} {t.Partition.Account}")),
    ];

    [GeneratedRegex(@"(?m)^  ([a-z-]+):\n    file: ")]
    private static partial Regex InputNames();
}
