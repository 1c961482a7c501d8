using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Text;
using Spectre.Console;

namespace AuditCli.Running;

/// <summary>
/// Shows the progress of a run on stderr: a progress bar on a terminal; otherwise a plain line per target, per tenth of the items, per item
/// that could not be read completely, and per wait that a server asks for.
/// </summary>
internal static class RunProgress
{
    /// <summary>Runs the work and passes it a callback for events. The callback may be called from many threads.</summary>
    /// <param name="repeats">See <see cref="RunOptions.Repeats"/>.</param>
    public static async Task<T> ShowAsync<T>(AuditHost host, TextWriter error, bool repeats, Func<Action<CollectionEvent>, Task<T>> work)
    {
        var repeated = repeats ? new RepeatedTargets() : null;
        if (!host.LiveError)
            return await work(new PlainLines(error, repeated).Tell);
        // Set the capabilities instead of detecting them: detection tests stdout, and progress is also wanted if stdout is a pipe.
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(TerminalText.Drawing(error)),
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
        });
        return await console.Progress()
            .AutoClear(true)
            .HideCompleted(false)
            .Columns(new SpinnerColumn(), new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(context =>
            {
                var task = context.AddTask(repeats ? "reading the recorded exchanges" : "entering targets", maxValue: 1);
                var room = Math.Max(16, console.Profile.Width - 42);
                return work(happened =>
                {
                    if (repeated is null)
                        Show(console, task, room, happened);
                    else if (happened is not CollectionEvent.TargetReached)
                    {
                        foreach (var line in repeated.Ended(happened))
                            Tell(console, line, "");
                        Show(console, task, room, happened);
                    }
                    else
                        repeated.Add(happened);
                });
            });
    }

    private static void Show(IAnsiConsole console, ProgressTask task, int room, CollectionEvent happened)
    {
        switch (happened)
        {
            case CollectionEvent.TargetReached { Connection: var c }:
                Tell(console, $"target {c.Target.Name} is {c.Account}, {c.ReadAs}", "");
                break;
            case CollectionEvent.TargetFailed failed:
                Tell(console, Line(failed), "yellow");
                break;
            case CollectionEvent.Planned planned:
                task.MaxValue = Math.Max(1, planned.Items);
                break;
            case CollectionEvent.Waiting { Wait: var wait }:
                Tell(console, wait.ToString(), "");
                break;
            case CollectionEvent.CallsMade calls:
                task.Description = Fit($"{calls.Operation} {calls.Account}: {calls.Calls} calls", room);
                break;
            case CollectionEvent.ItemFinished { Item: var item } finished:
                task.Increment(1);
                task.Description = Fit($"{item.Operation} {item.Account} {item.Region}", room);
                if (item.Outcome != CollectionOutcome.Complete && !finished.WasToldBefore)
                    Tell(console, Line(item), "yellow");
                break;
        }
    }

    /// <summary>Writes a line above the bar. Text that does not fit is cut off; it is also in the run's log and in the summary.</summary>
    private static void Tell(IAnsiConsole console, string text, string style) =>
        console.MarkupLine(style.Length == 0 ? Fit(text, console.Profile.Width - 1) : $"[{style}]{Fit(text, console.Profile.Width - 1)}[/]");

    /// <summary>
    /// Returns one line of text that fits, so that redrawing the bar never scrolls, with control characters and markup escaped.
    /// </summary>
    private static string Fit(string text, int room)
    {
        var line = PrintableText.Of(text);
        return Markup.Escape(line.Length <= room ? line : line[..(room - 1)] + "…");
    }

    private static string Line(CollectionEvent.TargetFailed failed) =>
        $"could not connect to target {failed.Target}: {failed.Code} {failed.Message}"
        + (failed.Unsent > 0 ? $"; {Wording.Count(failed.Unsent, "reading")} of it not sent" : "");

    private static string Line(EvidenceItem item) =>
        $"{item.Operation} {Place(item)}: {item.Outcome.ToString().ToLowerInvariant()}, {item.Code} {item.Message}";

    private static string Place(EvidenceItem item) => item.Target.Length == 0 ? "in the inputs" : $"{item.Account} {item.Region}".TrimEnd();

    /// <summary>
    /// The targets of a run that is repeated, which are not entered. A line of each says so, because a line of each account, with the identity
    /// that once read it, would look as if that identity read it now.
    /// </summary>
    private sealed class RepeatedTargets
    {
        private readonly Lock _lock = new();
        private readonly List<string> _accounts = [];

        public void Add(CollectionEvent happened)
        {
            if (happened is CollectionEvent.TargetReached { Connection.Target.Name: var name })
            {
                lock (_lock)
                    _accounts.Add(name);
            }
        }

        /// <summary>Returns the lines, once, when everything is known that is repeated; nothing before and after.</summary>
        public string[] Ended(CollectionEvent happened)
        {
            if (happened is not CollectionEvent.Planned)
                return [];
            lock (_lock)
            {
                string[] lines =
                [
                    .. _accounts.GroupBy(n => n, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
                        .Select(g => $"target {g.Key}: {Wording.Count(g.Count(), "account")}, repeated from recorded exchanges; nothing is asked of it now"),
                ];
                _accounts.Clear();
                return lines;
            }
        }
    }

    private sealed class PlainLines(TextWriter error, RepeatedTargets? repeated)
    {
        private readonly Lock _lock = new();
        private int _planned;
        private int _finished;

        public void Tell(CollectionEvent happened)
        {
            lock (_lock)
            {
                foreach (var line in repeated?.Ended(happened) ?? [])
                    error.WriteLine(PrintableText.Of(line));
                switch (happened)
                {
                    case CollectionEvent.TargetReached when repeated is not null:
                        repeated.Add(happened);
                        break;
                    case CollectionEvent.TargetReached { Connection: var c }:
                        error.WriteLine($"target {c.Target.Name} is {c.Account}, {c.ReadAs}");
                        break;
                    case CollectionEvent.TargetFailed failed:
                        error.WriteLine(Line(failed));
                        break;
                    case CollectionEvent.Planned planned:
                        _planned = planned.Items;
                        break;
                    case CollectionEvent.Waiting { Wait: var wait }:
                        error.WriteLine(wait);
                        break;
                    case CollectionEvent.ItemFinished { Item: var item } finished:
                        var tenth = _finished * 10 / Math.Max(1, _planned);
                        _finished++;
                        if (item.Outcome != CollectionOutcome.Complete && !finished.WasToldBefore)
                            error.WriteLine(Line(item));
                        if (_finished * 10 / Math.Max(1, _planned) > tenth)
                            error.WriteLine($"{(repeated is null ? "collected" : "repeated")} {_finished} of {_planned}");
                        break;
                }
            }
        }
    }
}
