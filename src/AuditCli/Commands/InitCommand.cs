using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using AuditCli.Libraries;

namespace AuditCli.Commands;

/// <summary><c>auditcli init</c>: writes the files that an engagement starts with.</summary>
internal static class InitCommand
{
    private const string EngagementFile = "engagement.yaml";
    private const string IgnoreFile = ".gitignore";
    private const string InputsFolder = "inputs/";
    private const string NobodyYet = Controls.Engagement.Nobody + ": name who reviews, and never the preparer";

    public static Command Build(AuditHost host)
    {
        var folder = new Argument<string>("DIR")
        {
            Description = "The folder of the engagement; created if it does not exist.",
            DefaultValueFactory = _ => ".",
        };
        var entity = CommandOptions.Text(host, "--entity", "NAME", "Who is audited.", "Example Exchange");
        var preparer = CommandOptions.Text(host, "--preparer", "NAME", "Who prepares the workpapers. Default: you.", Environment.UserName);
        var reviewer = CommandOptions.Text(host, "--reviewer", "NAME", "Who reviews them; never the preparer.", NobodyYet);
        var start = CommandOptions.Text(
            host, "--start", "DATE", "The first day of the period. Default: 89 days ago, within event histories of 90 days.");
        var end = CommandOptions.Text(host, "--end", "DATE", "The last day of the period. Default: yesterday.");
        var sources = host.Collectors.Select(c => c.Source.Name)
            .Select(s => CommandOptions.Flag(host, $"--{s}", $"A target of {s}. Default: those that are set up here.")).ToImmutableArray();
        var command = new DetailedCommand("init", "Create an engagement: its file, and a template for each register that the controls can use.", """
            Asks no questions and overwrites nothing: if a file exists already it is named, and nothing is written. A .gitignore
            that exists is kept, and the lines to add to it are printed. The engagement loads without changes; what only you can
            know is marked in it.

            It has a target for each source that an option names or, without one, for each that is set up here: the variables or
            files of the provider's own tools are there. The other sources are commented examples.

            Examples:
              auditcli init
              auditcli init audits/2026 --entity "Example Exchange" --preparer "A. Preparer" --reviewer "R. Reviewer" --aws
              auditcli init audits/2026 --start 2026-01-01 --end 2026-09-30 --kubernetes
            """)
        {
            folder, entity, preparer, reviewer, start, end,
        };
        foreach (var source in sources)
            command.Add(source);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var chosen = sources.Where(s => parsed.GetValue(s)).Select(s => s.Name[2..]).ToImmutableHashSet(StringComparer.Ordinal);
            var today = DateOnly.FromDateTime(host.Clock.GetUtcNow().UtcDateTime);
            if (!TryDay(parsed.GetValue(start), today.AddDays(-89), out var first)
                || !TryDay(parsed.GetValue(end), today.AddDays(-1), out var last)
                || last < first)
            {
                return await BundleCommands.UsageAsync(error, "--start and --end must be dates such as 2026-09-30, and the end must not be before the start");
            }
            foreach (var option in new[] { preparer, reviewer })
            {
                if (parsed.GetValue(option) is { } name && name != NobodyYet && PersonName.WhyNot(name.Trim()) is { } why)
                    return await BundleCommands.UsageAsync(error, $"{option.Name} {PrintableText.Of(name)}: it {why}; name a person");
            }
            if (PersonName.MayBe(parsed.GetValue(reviewer)!, parsed.GetValue(preparer)!))
                return await BundleCommands.UsageAsync(error, $"{parsed.GetValue(reviewer)} is the preparer; somebody else must review");
            var asked = host.Collectors.Where(c => chosen.IsEmpty ? c.Starter.IsSetUp(host.Environment) : chosen.Contains(c.Source.Name)).ToImmutableArray();
            var inputs = Inputs(host, [.. (asked.IsEmpty ? host.Collectors : asked).Select(a => a.Source.Name)]);
            var root = host.FullPath(parsed.GetValue(folder)!);
            var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                [EngagementFile] = Engagement(
                    parsed.GetValue(entity)!, parsed.GetValue(preparer)!, parsed.GetValue(reviewer)!, first, last, host.Collectors, asked, inputs),
                [IgnoreFile] = "# Evidence is confidential, and is kept elsewhere.\nbundles/\n",
            };
            foreach (var input in inputs)
                files[$"{InputsFolder}{input.Name}.csv"] = string.Join(',', input.Columns.Select(c => c.Name)) + "\n";
            var targets = Targets(host.Collectors, asked) + Idle(host, [.. asked.Select(a => a.Source.Name)]);
            return await WriteAsync(root, host.Shown(Path.Combine(root, EngagementFile)), files, targets, output, error, cancellationToken);
        });
        return command;
    }

    private static async Task<int> WriteAsync(
        string root, string engagement, SortedDictionary<string, string> files, string targets, TextWriter output, TextWriter error,
        CancellationToken cancellationToken)
    {
        // A repository nearly always has this file, and lines of an engagement can stand beside those of anything else.
        var toAdd = Path.Exists(Path.Combine(root, IgnoreFile)) && files.Remove(IgnoreFile, out var lines) ? lines : null;
        if (files.Keys.FirstOrDefault(f => Path.Exists(Path.Combine(root, f))) is { } there)
            return await BundleCommands.UsageAsync(error, $"{Path.Combine(root, there)} already exists; nothing was written");
        try
        {
            foreach (var (name, content) in files)
            {
                var path = Path.Combine(root, name);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                await file.WriteAsync(Encoding.UTF8.GetBytes(content), cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return await BundleCommands.UsageAsync(error, $"auditcli: {e.Message}");
        }
        var tables = files.Keys.Count(f => f.StartsWith(InputsFolder, StringComparison.Ordinal));
        await output.WriteLineAsync($"{engagement} and {tables} tables to fill in below inputs/");
        await output.WriteLineAsync(targets);
        if (toAdd is not null)
            await output.WriteLineAsync($"{IgnoreFile} exists already and was kept; add these lines to it:\n{toAdd.TrimEnd()}");
        await output.WriteLineAsync($"next: review it, then run auditcli doctor {engagement}, then auditcli run {engagement}");
        return ExitCode.Ok;
    }

    /// <summary>Returns which targets were written, and why no others.</summary>
    private static string Targets(ImmutableArray<CollectorEntry> all, ImmutableArray<CollectorEntry> asked) => asked.IsEmpty
        ? $"no target: none of {string.Join(", ", all.Select(c => c.Source.Name))} is set up here; uncomment one in the file, "
            + $"or say which: --{all[0].Source.Name}"
        : $"targets: {string.Join(", ", asked.Select(c => $"{c.Starter.Name} ({c.Source.Name})"))}"
            + (asked.Length < all.Length ? "; the other sources are commented examples" : "");

    /// <summary>Returns that no shipped control can run on these sources alone, and what to do; empty if one can.</summary>
    private static string Idle(AuditHost host, ImmutableArray<string> sources)
    {
        var needed = ChosenLibrary.Load(null, host).Controls.Select(c => c.Control).Where(c => c.Status == "active")
            .Select(c => c.Evidence.Where(e => !e.IsFile && !e.IfTarget).Select(e => e.Source).Distinct().ToArray()).ToArray();
        if (needed.Any(n => n.Length > 0 && n.All(sources.Contains)))
            return "";
        var read = needed.Where(n => n.Length == 1).Select(n => n[0]).Distinct().Order(StringComparer.Ordinal);
        return sources.IsEmpty
            ? "\nno control can run until the file names a target, or an input that a control reads without any"
            : $"\nno control can run yet: the shipped ones read {string.Join(", ", read)}; name such a target too, or write a control of "
                + $"{string.Join(" or ", sources)} with auditcli controls new, and name its folder in the engagement with 'library: controls'";
    }

    /// <param name="asked">The sources of which the engagement has a target; the others are comments.</param>
    private static string Engagement(
        string entity, string preparer, string reviewer, DateOnly first, DateOnly last, ImmutableArray<CollectorEntry> collectors,
        ImmutableArray<CollectorEntry> asked, ImmutableArray<Register> inputs)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $$"""
            # An engagement: entity, period, controls and targets. To run it: auditcli run engagement.yaml
            schema: 1
            entity: {{Quoted(entity)}}
            name: First fieldwork
            period: { start: {{first:yyyy-MM-dd}}, end: {{last:yyyy-MM-dd}}, time_zone: UTC }   # both days included
            preparer: {{Quoted(preparer)}}
            reviewer: {{Quoted(reviewer)}}
            # controls:
            #   include: ["APD-*", INF-AWS-001]      # default: every control that has a target; see auditcli controls list
            #   not_applicable: { APD-AWS-002: { reason: "...", approved_by: "...", approved_on: 2026-01-31 } }

            """);
        text.Append(asked.IsEmpty ? "targets: {}   # none yet: remove the braces, and the # before one of these lines\n" : "targets:\n");
        var width = collectors.Max(c => c.Starter.Name.Length);
        foreach (var collector in asked.Concat(collectors.Except(asked)))
        {
            var (starter, comment) = (collector.Starter, asked.Contains(collector) ? "" : "# ");
            text.Append(
                CultureInfo.InvariantCulture,
                $"  {comment}{(starter.Name + ":").PadRight(width + 1)} {{ {collector.Source.Name}: {starter.Settings} }}   # {starter.Remark}\n");
        }
        text.Append("# Registers that the controls can use. Fill in inputs/<name>.csv, then say here where it came from:\n# inputs:\n");
        foreach (var input in inputs)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"#   {input.Name}: {{ file: inputs/{input.Name}.csv, obtained_from: \"...\", obtained_on: {last:yyyy-MM-dd}, how: \"...\", stated_rows: 0 }}");
            text.Append(CultureInfo.InvariantCulture, $"   # {string.Join(", ", input.Controls)}\n");
        }
        return text.ToString().ReplaceLineEndings("\n");
    }

    /// <summary>Returns the files that the shipped controls take from management, for controls that read one of these sources.</summary>
    private static ImmutableArray<Register> Inputs(AuditHost host, ImmutableArray<string> sources) =>
    [
        .. ChosenLibrary.Load(null, host).Controls.Select(c => c.Control).Where(c => c.Evidence.Any(e => sources.Contains(e.Source)))
            .SelectMany(c => c.Evidence.Where(e => e.IsFile).Select(e => (c.Id, Need: e))).GroupBy(e => e.Need.Operation, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new Register(g.Key, [.. g.SelectMany(e => e.Need.Columns).DistinctBy(c => c.Name)], [.. g.Select(e => e.Id)])),
    ];

    private static bool TryDay(string? text, DateOnly fallback, out DateOnly day)
    {
        day = fallback;
        return text is null || DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private sealed record Register(string Name, ImmutableArray<Column> Columns, ImmutableArray<string> Controls);
}
