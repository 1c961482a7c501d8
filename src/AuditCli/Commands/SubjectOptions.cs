using System.Collections.Immutable;
using System.CommandLine;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
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
    private readonly Option<string[]> _project;

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
        _pack.CompletionSources.Add(_ => ChosenLibrary.Packs(null, host).Select(p => Path.GetFileNameWithoutExtension(p.Path)));
        _ambient =
        [
            ("aws", CommandOptions.Flag(host, "--aws", "Without an engagement: the AWS account of the ambient credentials.")),
            ("gcp", CommandOptions.Flag(host, "--gcp", "Without an engagement: the Google Cloud project of the ambient credentials.")),
            ("kubernetes", CommandOptions.Flag(host, "--kubernetes", "Without an engagement: the cluster of the kubeconfig's current context.")),
        ];
        _project = CommandOptions.List(host, "--project", "ID", "With --gcp: the projects; default GOOGLE_CLOUD_PROJECT or CLOUDSDK_CORE_PROJECT.");
    }

    public void AddTo(Command command)
    {
        command.Arguments.Add(_engagement);
        foreach (var option in new Option[] { _control, _target, _controls, _pack, _ambient[0].Option, _ambient[1].Option, _ambient[2].Option, _project })
            command.Options.Add(option);
    }

    /// <summary>Returns the first of these options that is on the command line; null if there is none.</summary>
    public string? Given(ParseResult parsed) => parsed.GetValue(_engagement)
        ?? new Option[] { _control, _target, _controls, _pack, _ambient[0].Option, _ambient[1].Option, _ambient[2].Option, _project }
            .FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false })?.Name;

    /// <summary>Returns the options of a run except the folder for the bundle; on failure null and a message.</summary>
    public (RunOptions? Options, string? Wrong) Read(ParseResult parsed)
    {
        var filter = new PlanFilter([.. parsed.GetValue(_control) ?? []], [.. parsed.GetValue(_target) ?? []]);
        var library = parsed.GetValue(_controls) is { } folder ? _host.FullPath(folder) : null;
        var sources = _ambient.Where(a => parsed.GetValue(a.Option)).Select(a => a.Source).ToImmutableArray();
        if (parsed.GetValue(_engagement) is { } file)
        {
            return sources.IsEmpty
                ? (new(_host.Shown(_host.FullPath(file)), _host.FullPath(file), library, "", filter, Verbose: false) { Pack = parsed.GetValue(_pack) }, null)
                : (null, $"{file} says which targets there are; --{sources[0]} is for when there is no engagement");
        }
        if (sources.IsEmpty)
            return (null, "name an ENGAGEMENT file, or --aws, --gcp or --kubernetes for what the ambient credentials reach; to begin one: auditcli init");
        var projects = AmbientEngagement.Projects(parsed.GetValue(_project) ?? [], _host);
        if (projects.IsEmpty && sources.Contains("gcp"))
            return (null, "--gcp needs to know which project: --project ID, GOOGLE_CLOUD_PROJECT or CLOUDSDK_CORE_PROJECT");
        var content = AmbientEngagement.Write(sources, projects, _host);
        var shown = AmbientEngagement.ShownAs;
        return (new(shown, _host.FullPath(shown), library, "", filter, Verbose: false) { Content = content, Pack = parsed.GetValue(_pack) }, null);
    }

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

    /// <summary>Returns the Google Cloud projects on the command line or, without any, the one in the environment.</summary>
    public static ImmutableArray<string> Projects(string[] given, AuditHost host) => given.Length > 0
        ? [.. given]
        :
        [
            .. new[] { host.Environment("GOOGLE_CLOUD_PROJECT"), host.Environment("CLOUDSDK_CORE_PROJECT") }
                .Where(p => !string.IsNullOrEmpty(p)).Take(1).OfType<string>(),
        ];

    /// <summary>Returns the engagement as YAML. Its period is the last 89 whole days, which CloudTrail's event history covers.</summary>
    public static byte[] Write(ImmutableArray<string> sources, ImmutableArray<string> projects, AuditHost host)
    {
        var today = DateOnly.FromDateTime(host.Clock.GetUtcNow().UtcDateTime);
        var targets = sources.Select(s => $"  {s}: {{ {s}: {{{(s == "gcp" ? $" projects: [{string.Join(", ", projects.Select(Quoted))}] " : "")}}} }}\n");
        return System.Text.Encoding.UTF8.GetBytes($$"""
            # Made by {{Tool.NameAndVersion}} from its command line: what the ambient credentials reach, for a first look.
            schema: 1
            entity: Whoever these credentials belong to
            name: First look
            period: { start: {{today.AddDays(-Days):yyyy-MM-dd}}, end: {{today.AddDays(-1):yyyy-MM-dd}} }
            preparer: {{Quoted(Environment.UserName)}}
            reviewer: nobody, which a first look does not need and a workpaper does
            targets:
            {{string.Concat(targets)}}
            """.ReplaceLineEndings("\n"));
    }

    private static string Quoted(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
