using System.Globalization;
using AuditCli.Collectors;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;

namespace AuditCli.Running;

/// <summary>
/// Writes the log of a run: compact JSON (CLEF) in the bundle and, with <c>--verbose</c>, text on stderr. Credentials are removed from
/// every line.
/// </summary>
internal static class RunLog
{
    /// <summary>Opens a logger that writes to the file until it is disposed.</summary>
    public static Logger Open(string file, TextWriter error, bool verbose)
    {
        var configuration = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.File(new CleanFormatter(), file);
        if (verbose)
            configuration.WriteTo.Sink(new WriterSink(error));
        return configuration.CreateLogger();
    }

    /// <summary>Logs an event of the collection.</summary>
    public static void Tell(this ILogger log, CollectionEvent happened)
    {
        switch (happened)
        {
            case CollectionEvent.TargetReached { Connection: var c }:
                log.Information("Target {Target} is account {Account}, read as {Identity} in {Regions}", c.Target.Name, c.Account, c.Identity, c.Regions);
                break;
            case CollectionEvent.TargetFailed failed:
                log.Warning("Target {Target} could not be entered: {Code} {Reason}", failed.Target, failed.Code, failed.Message);
                break;
            case CollectionEvent.Planned planned:
                log.Information("{Items} evidence items to collect", planned.Items);
                break;
            case CollectionEvent.Waiting { Wait: var wait }:
                log.Information(
                    "Waiting {Seconds} s, as {Host} asked ({Status}), before try {Next}", wait.Wait.TotalSeconds, wait.Host, wait.Status, wait.Next);
                break;
            case CollectionEvent.CallsMade calls:
                log.Debug("{Operation} in {Account} {Region}: {Calls} calls", calls.Operation, calls.Account, calls.Region, calls.Calls);
                break;
            case CollectionEvent.ItemFinished { Item: var item }:
                log.Write(
                    item.Outcome == CollectionOutcome.Complete ? LogEventLevel.Information : LogEventLevel.Warning,
                    "{Operation} in {Account} {Region}: {Outcome}, {Items} rows, {Pages} pages {Code} {Reason}",
                    item.Operation, item.Account, item.Region, item.Outcome, item.Items, item.Pages, item.Code, item.Message);
                break;
        }
    }

    /// <summary>Logs that credentials were obtained: endpoint, time and status, without the credentials.</summary>
    public static void Tell(this ILogger log, CredentialExchange exchange) => log.Information(
        "Credential exchange {Operation} with {Endpoint} at {Date}: {Status}", exchange.Operation, exchange.Endpoint, exchange.Date, exchange.Status);

    /// <summary>Removes credentials from every line, because messages of servers and programs may repeat what was sent to them.</summary>
    private sealed class CleanFormatter : ITextFormatter
    {
        private readonly CompactJsonFormatter _json = new();

        public void Format(LogEvent logEvent, TextWriter output)
        {
            using var line = new StringWriter(CultureInfo.InvariantCulture);
            _json.Format(logEvent, line);
            output.Write(CredentialText.Clean(line.ToString()));
        }
    }

    private sealed class WriterSink(TextWriter error) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) =>
            error.WriteLine(CredentialText.Clean($"{logEvent.Level}: {logEvent.RenderMessage(CultureInfo.InvariantCulture)}"));
    }
}
