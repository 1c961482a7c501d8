using System.Collections.Immutable;
using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using AuditCli.Collectors;
using AuditCli.Collectors.Exchanges;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Commands;

/// <summary><c>auditcli call SOURCE OPERATION</c>: performs one read-only operation and prints all its pages as JSON.</summary>
internal static class CallCommand
{
    private const string NotUnicode = "NotUnicode";
    private const string ExitCodes = """
        Exit codes: 0 complete; 3 denied, failed or incomplete: stdout stays empty, the provider's code and message go to stderr;
        1 usage or not in the catalogue.
        """;

    public static Command Build(AuditHost host)
    {
        var command = new Command("call", "Send one read-only request and print the response; nothing is kept.");
        foreach (var collector in host.Collectors)
            command.Add(Build(host, collector));
        return command;
    }

    /// <summary>
    /// Reports that an operation is not in the catalogue, with the reason or with similar names, and returns the exit code.
    /// </summary>
    public static int Unknown(TextWriter error, EvidenceSource source, string operation)
    {
        error.WriteLine($"{source.Name}: {operation} is not in the read-only catalogue");
        foreach (var near in source.Suggest(operation))
            error.WriteLine(near.StartsWith(operation + " ", StringComparison.Ordinal) ? $"  {near}" : $"  did you mean {near}");
        return ExitCode.Usage;
    }

    private static DetailedCommand Build(AuditHost host, CollectorEntry collector)
    {
        var form = collector.Call;
        var operation = new Argument<string>("OPERATION") { Description = form.Operation };
        var parameters = new Argument<string[]>("name=value")
        {
            Description = "Parameters: text, or JSON if the parameter is not text.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var place = form.Place is { } asked ? Option(host, asked) : null;
        var settings = form.Settings.Select(s => (s.Setting, Option: Option(host, s))).ToImmutableArray();
        var engagement = CommandOptions.Text(host, "--engagement", "FILE", "Take the credentials of a target of this engagement.");
        var target = CommandOptions.Text(host, "--target", "NAME", "The target of the engagement.");
        var command = new DetailedCommand(collector.Source.Name, form.Description, $"{ExitCodes}\n\n{form.Details}") { operation, parameters };
        if (place is not null)
            command.Add(place);
        foreach (var (_, option) in settings)
            command.Add(option);
        command.Add(engagement);
        command.Add(target);
        command.SetAction((parsed, cancellationToken) => CallAsync(
            host,
            collector,
            new(
                parsed.GetValue(operation)!,
                parsed.GetValue(parameters) ?? [],
                place is null ? null : parsed.GetValue(place),
                settings.Select(s => (s.Setting, Value: parsed.GetValue(s.Option))).Where(s => s.Value is not null)
                    .ToImmutableSortedDictionary(s => s.Setting, s => ImmutableArray.Create(s.Value!), StringComparer.Ordinal),
                parsed.GetValue(engagement),
                parsed.GetValue(target)),
            parsed.InvocationConfiguration.Output,
            parsed.InvocationConfiguration.Error,
            cancellationToken));
        return command;
    }

    private static Option<string?> Option(AuditHost host, SettingOption option) =>
        CommandOptions.Text(host, option.Name, option.Value, option.Description);

    private static async Task<int> CallAsync(
        AuditHost host, CollectorEntry collector, CommandLine given, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (collector.Source.FindOperation(given.Operation) is not { } operation)
            return Unknown(error, collector.Source, given.Operation);
        if (!operation.Reads.Contains(operation.Name))
        {
            await error.WriteLineAsync($"{operation.Name} is a table built from several operations; call one of them: {string.Join(", ", operation.Reads)}");
            return ExitCode.Usage;
        }
        var (parameters, wrong) = CallParameters.Read(operation, given.Parameters);
        var (target, unfit) = wrong.IsEmpty ? FindTarget(host, collector, given) : (null, wrong);
        if (target is null)
        {
            foreach (var fault in unfit)
                await error.WriteLineAsync(fault);
            return ExitCode.Usage;
        }
        try
        {
            await using var transport = new LiveTransport(bundleFolder: null, seed: "call", host.Clock) { Waiting = TextWriter.Synchronized(error).WriteLine };
            await using var opened = collector.Open(new(transport, host.Clock, _ => { }));
            var answer = await opened.CallAsync(target, operation.Name, parameters, given.Place, cancellationToken);
            await output.WriteLineAsync(Printed(operation, answer));
            return ExitCode.Ok;
        }
        catch (CollectionException e)
        {
            await error.WriteLineAsync($"{e.Code}: {e.Message}");
            return e.Code is Codes.InvalidParameter or Codes.RefusedReadOnly ? ExitCode.Usage : ExitCode.Undecided;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    /// <summary>
    /// Formats a response as indented JSON. Number literals and nesting depth are kept, because the limits of a serializer are not those of
    /// the provider. An unpaired surrogate is printed as the escape in the response.
    /// </summary>
    /// <exception cref="CollectionException">
    /// A text is not valid UTF-8, or a member name has an unpaired surrogate (<see cref="NotUnicode"/>).
    /// </exception>
    private static string Printed(Operation operation, JsonElement answer)
    {
        using var text = new MemoryStream();
        try
        {
            using var writer = new Utf8JsonWriter(text, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            Print(writer, answer);
        }
        catch (InvalidOperationException e)
        {
            throw new CollectionException(NotUnicode, $"{operation.Name}: the response contains text that is not well-formed Unicode", e);
        }
        return Encoding.UTF8.GetString(text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    private static void Print(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Print(writer, member.Value);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var element in value.EnumerateArray())
                    Print(writer, element);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String when HalfOfPair(value) is { } escaped:
                writer.WriteRawValue(escaped, skipInputValidation: true);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    /// <summary>
    /// Returns the literal of a string with an unpaired surrogate, which only an escape can express; null for every other string.
    /// </summary>
    /// <exception cref="InvalidOperationException">The bytes are not valid UTF-8.</exception>
    private static string? HalfOfPair(JsonElement value)
    {
        var literal = JsonMarshal.GetRawUtf8Value(value);
        if (!Utf8.IsValid(literal))
            throw new InvalidOperationException("the bytes are no UTF-8");
        if (!literal.Contains((byte)'\\'))
            return null;
        try
        {
            _ = value.GetString();
            return null;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(literal);
        }
    }

    private static (Target? Target, ImmutableArray<string> Faults) FindTarget(AuditHost host, CollectorEntry collector, CommandLine given) =>
        NamedTarget(host, collector, given) is var named && named.Target is { } target && collector.Source.WhyNotTarget(target) is { } why
            ? (null, [why])
            : named;

    private static (Target? Target, ImmutableArray<string> Faults) NamedTarget(AuditHost host, CollectorEntry collector, CommandLine given)
    {
        if (given.Engagement is null)
            return given.Target is null
                ? (new("call", collector.Source.Name, given.Settings) { IsOfOneCall = true }, [])
                : (null, ["--target needs --engagement FILE"]);
        var (engagement, faults) = EngagementLoader.Load(host.FullPath(given.Engagement), host.Sources, usesLibrary: false);
        if (engagement is null)
            return (null, [.. faults.Select(f => f.ToString())]);
        if (engagement.Replay is not null)
            return (null, [$"{given.Engagement} replays recorded exchanges, but call sends a live request: give an engagement without 'replay'"]);
        var targets = engagement.Targets.Where(t => t.Source == collector.Source.Name).ToArray();
        return targets.Where(t => given.Target is null || t.Name == given.Target).ToArray() is [var one]
            ? (one with { Settings = one.Settings.SetItems(given.Settings) }, [])
            : (null, [targets.Length == 0
                ? $"{given.Engagement} has no {collector.Title} target"
                : $"name one of the engagement's {collector.Title} targets with --target: {string.Join(", ", targets.Select(t => t.Name))}"]);
    }

    private sealed record CommandLine(
        string Operation,
        string[] Parameters,
        string? Place,
        ImmutableSortedDictionary<string, ImmutableArray<string>> Settings,
        string? Engagement,
        string? Target);
}
