using System.Collections.Immutable;
using System.CommandLine;
using AuditCli.Collectors;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence.Text;
using AuditCli.Libraries;
using AuditCli.Running;

namespace AuditCli.Commands;

/// <summary>
/// The options that name what is audited: an engagement's file, or the ambient credentials. All commands that make requests share them.
/// </summary>
internal sealed class SubjectOptions
{
    private readonly AuditHost _host;
    private readonly Argument<string?> _engagement = new("ENGAGEMENT")
    {
        Description = "The engagement file: entity, period, controls and targets.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string[]> _control;
    private readonly Option<string[]> _target;
    private readonly Option<string?> _controls;
    private readonly Option<string?> _pack;
    private readonly ImmutableArray<(string Source, Option<bool> Option)> _ambient;
    private readonly ImmutableArray<Option<string[]>> _needs;

    public SubjectOptions(AuditHost host)
    {
        _host = host;
        _control = CommandOptions.List(host, "--control", "ID-or-glob", "Only these controls of the engagement; repeatable.");
        _control.CompletionSources.Add(_ => ShippedLibrary.Ids);
        _target = CommandOptions.List(host, "--target", "NAME", "Only these targets of the engagement; repeatable.");
        _target.CompletionSources.Add(context => TargetsOf(context.ParseResult));
        _controls = CommandOptions.Text(
            host, "--controls", "DIR", "The library of controls. Default: the engagement's, else the one embedded in the program.");
        _pack = CommandOptions.Text(host, "--pack", "NAME", "Only the controls of this pack of the library, such as quick.");
        _pack.CompletionSources.Add(_ => ChosenLibrary.Packs(null, host).Files.Select(ControlPack.NameOf));
        _ambient =
        [
            .. host.Collectors.Select(c => (c.Source.Name, CommandOptions.Flag(host, $"--{c.Source.Name}", c.Quick.Description))),
        ];
        _needs =
        [
            .. host.Collectors.Select(c => c.Quick.Needs).OfType<SettingOption>().DistinctBy(n => n.Name)
                .Select(n => CommandOptions.List(host, n.Name, n.Value, n.Description)),
        ];
    }

    private IEnumerable<Option> Options => [_control, _target, _controls, _pack, .. _ambient.Select(a => a.Option), .. _needs];

    public void AddTo(Command command)
    {
        command.Arguments.Add(_engagement);
        foreach (var option in Options)
            command.Options.Add(option);
    }

    /// <summary>Returns the first of these options that is on the command line; null if there is none.</summary>
    public string? Given(ParseResult parsed) => parsed.GetValue(_engagement)
        ?? Options.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false })?.Name;

    /// <summary>Returns what is audited; on failure null and a message.</summary>
    public (RunSubject? Subject, string? Wrong) Read(ParseResult parsed)
    {
        var filter = new PlanFilter([.. parsed.GetValue(_control) ?? []], [.. parsed.GetValue(_target) ?? []]);
        var library = parsed.GetValue(_controls) is { } folder ? _host.FullPath(folder) : null;
        var sources = _ambient.Where(a => parsed.GetValue(a.Option)).Select(a => a.Source).ToImmutableArray();
        if (parsed.GetValue(_engagement) is { } file)
        {
            return sources.IsEmpty
                ? (new(_host.Shown(_host.FullPath(file)), _host.FullPath(file), library, filter) { Pack = parsed.GetValue(_pack) }, null)
                : (null, $"{file} already names the targets; --{sources[0]} is only for a run without an engagement, so leave it out");
        }
        if (sources.IsEmpty)
        {
            return (null, $"name an ENGAGEMENT file, or {Either(_ambient.Select(a => a.Option.Name))} to read what your credentials reach; "
                + "to create one: auditcli init");
        }
        var targets = ImmutableArray.CreateBuilder<(string Source, string? Setting, ImmutableArray<string> Values)>();
        foreach (var collector in _host.Collectors.Where(c => sources.Contains(c.Source.Name)))
        {
            var needs = collector.Quick.Needs;
            var values = needs is null ? [] : Values(parsed, needs, collector.Quick.Variables);
            if (needs is not null && values.IsEmpty)
                return (null, collector.Quick.Missing);
            targets.Add((collector.Source.Name, needs?.Setting, values));
        }
        var content = AmbientEngagement.Write(targets.ToImmutable(), _host);
        var shown = AmbientEngagement.ShownAs;
        return (new(shown, _host.FullPath(shown), library, filter) { Content = content, Pack = parsed.GetValue(_pack) }, null);
    }

    /// <summary>Returns the values of a needed option on the command line or, without any, the one in the environment.</summary>
    private ImmutableArray<string> Values(ParseResult parsed, SettingOption needs, ImmutableArray<string> variables) =>
        parsed.GetValue(_needs.Single(o => o.Name == needs.Name)) is { Length: > 0 } given
            ? [.. given]
            : [.. variables.Select(_host.Environment).Where(v => !string.IsNullOrEmpty(v)).Take(1).OfType<string>()];

    private static string Either(IEnumerable<string> words) =>
        words.ToArray() is [.. { Length: > 0 } first, var last] ? $"{string.Join(", ", first)} or {last}" : string.Concat(words);

    /// <summary>Returns the targets of the engagement on the command line, for completion; none if it cannot be read.</summary>
    private IEnumerable<string> TargetsOf(ParseResult parsed) =>
        parsed.GetValue(_engagement) is { } file
        && EngagementLoader.Load(_host.FullPath(file), _host.Sources).Engagement is { } engagement
            ? engagement.Targets.Select(t => t.Name)
            : [];
}

/// <summary>Generates an engagement without a file, for a first look: one target per source, with the ambient credentials.</summary>
internal static class AmbientEngagement
{
    /// <summary>The name of the engagement in messages.</summary>
    public const string ShownAs = "command-line";
    private const int Days = 89;

    /// <summary>Returns the engagement as YAML. Its period is the last 89 whole days, which event histories of 90 days cover.</summary>
    /// <param name="targets">The sources, each with the setting that it needs.</param>
    public static byte[] Write(ImmutableArray<(string Source, string? Setting, ImmutableArray<string> Values)> targets, AuditHost host)
    {
        var today = DateOnly.FromDateTime(host.Clock.GetUtcNow().UtcDateTime);
        var lines = targets.Select(t =>
            $"  {t.Source}: {{ {t.Source}: {{{(t.Setting is null ? "" : $" {t.Setting}: [{string.Join(", ", t.Values.Select(Quoted))}] ")}}} }}\n");
        // An account may have a name that a person has not, such as one of digits.
        var preparer = PersonName.WhyNot(Environment.UserName) is null ? Environment.UserName : $"user {Environment.UserName}";
        return System.Text.Encoding.UTF8.GetBytes($$"""
            # Made by {{Tool.NameAndVersion}} from its command line: what the ambient credentials reach, for a first look.
            schema: 1
            entity: Whoever these credentials belong to
            name: First look
            period: { start: {{today.AddDays(-Days):yyyy-MM-dd}}, end: {{today.AddDays(-1):yyyy-MM-dd}} }
            preparer: {{Quoted(preparer)}}
            reviewer: nobody, which a first look does not need and a workpaper does
            targets:
            {{string.Concat(lines)}}
            """.ReplaceLineEndings("\n"));
    }

    private static string Quoted(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
