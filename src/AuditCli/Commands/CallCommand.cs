using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Http;
using AuditCli.Controls;
using AuditCli.Evidence;

namespace AuditCli.Commands;

/// <summary><c>auditcli call aws OPERATION</c>: one read-only operation, all its pages, as JSON.</summary>
internal static class CallCommand
{
    private static readonly JsonSerializerOptions Printed = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Build(AuditHost host) =>
        new("call", "Ask one read-only operation and print the answer; nothing is kept.") { Aws(host) };

    /// <summary>Says that an operation is not in the catalogue, with names near it.</summary>
    public static int Unknown(TextWriter error, EvidenceSource source, string operation)
    {
        error.WriteLine($"{source.Name}: {operation} is not in the read-only catalogue");
        foreach (var near in source.Suggest(operation))
            error.WriteLine($"  did you mean {near}");
        return ExitCode.Usage;
    }

    private static DetailedCommand Aws(AuditHost host)
    {
        var operation = new Argument<string>("OPERATION") { Description = "As <AWS CLI service name>:<Operation>, such as iam:ListUsers." };
        var parameters = new Argument<string[]>("name=value") { Description = "Parameters: text, or JSON where the parameter is not a text.", Arity = ArgumentArity.ZeroOrMore };
        var region = CommandOptions.Text(host, "--region", "R", "The region to ask; default the credentials' own.");
        var engagement = CommandOptions.Text(host, "--engagement", "FILE", "Take the credentials of a target of this engagement.");
        var target = CommandOptions.Text(host, "--target", "NAME", "The target of the engagement.");
        var command = new DetailedCommand("aws", "Ask one operation of an AWS account, with the AWS SDK's own credentials or those of an engagement's target.", """
            Lists that go on from page to page are joined. Exit codes: 0 complete, 3 denied, failed or incomplete (stdout stays
            empty, the provider's code and message go to stderr), 1 usage or not in the catalogue.

            Examples:
              auditcli call aws iam:ListUsers
              auditcli call aws iam:ListMFADevices UserName=alice
              auditcli call aws cloudtrail:LookupEvents --region us-east-1 'LookupAttributes=[{"AttributeKey":"Username","AttributeValue":"root"}]'
              auditcli call aws s3:GetBucketAcl Bucket=ledger --engagement engagement.yaml --target prod
            """)
        {
            operation, parameters, region, engagement, target,
        };
        command.SetAction((parsed, cancellationToken) => CallAsync(
            host,
            new(parsed.GetValue(operation)!, parsed.GetValue(parameters) ?? [], parsed.GetValue(region), parsed.GetValue(engagement), parsed.GetValue(target)),
            parsed.InvocationConfiguration.Output,
            parsed.InvocationConfiguration.Error,
            cancellationToken));
        return command;
    }

    private static async Task<int> CallAsync(AuditHost host, Question question, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var source = host.Sources.Single(s => s.Name == AwsSource.Name);
        if (source.FindOperation(question.Operation) is not { } operation)
            return Unknown(error, source, question.Operation);
        var (parameters, wrong) = Parameters(operation, question.Parameters);
        if (wrong.Count > 0)
        {
            foreach (var fault in wrong)
                await error.WriteLineAsync(fault);
            return ExitCode.Usage;
        }
        var (target, faults) = FindTarget(host, question);
        if (target is null)
        {
            foreach (var fault in faults)
                await error.WriteLineAsync(fault);
            return ExitCode.Usage;
        }
        try
        {
            await using var transport = new LiveTransport(bundleFolder: null, seed: "call", host.Clock);
            await using var collector = new AwsCollector(transport, host.Clock, _ => { });
            var answer = await collector.CallAsync(target, operation.Name, parameters, question.Region, cancellationToken);
            await output.WriteLineAsync(JsonSerializer.Serialize(answer, Printed));
            return ExitCode.Ok;
        }
        catch (CollectionException e)
        {
            await error.WriteLineAsync($"{e.Code}: {e.Message}");
            return ExitCode.Undecided;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static (ImmutableSortedDictionary<string, JsonElement> Parameters, List<string> Wrong) Parameters(Operation operation, IEnumerable<string> given)
    {
        var parameters = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        var wrong = new List<string>();
        foreach (var text in given)
        {
            var (name, value) = text.Split('=', 2) is [var n, var v] ? (n, v) : (text, null);
            if (value is null)
                wrong.Add($"'{text}' is not name=value");
            else if (operation.Parameters.FirstOrDefault(p => p.Name == name) is not { } known)
                wrong.Add($"{operation.Name} takes no parameter {name}; it takes {string.Join(", ", operation.Parameters.Select(p => p.Name).DefaultIfEmpty("none"))}");
            else if (known.Type == ColumnType.Text)
                parameters[name] = JsonSerializer.SerializeToElement(value);
            else if (TryParse(value, out var json))
                parameters[name] = json;
            else
                wrong.Add($"{name} is not JSON, and {operation.Name} wants {known.Type.ToString().ToLowerInvariant()} there: {value}");
        }
        wrong.AddRange(operation.Parameters.Where(p => p.Required && !parameters.ContainsKey(p.Name)).Select(p => $"{operation.Name} needs {p.Name}=..."));
        return (parameters.ToImmutable(), wrong);
    }

    private static bool TryParse(string value, out JsonElement json)
    {
        try
        {
            json = JsonDocument.Parse(value).RootElement;
            return true;
        }
        catch (JsonException)
        {
            json = default;
            return false;
        }
    }

    private static (Target? Target, IEnumerable<string> Faults) FindTarget(AuditHost host, Question question)
    {
        if (question.Engagement is null)
            return question.Target is null
                ? (new("call", AwsSource.Name, ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty), [])
                : (null, ["--target needs --engagement FILE"]);
        var (engagement, faults) = EngagementLoader.Load(host.FullPath(question.Engagement), host.Sources);
        if (engagement is null)
            return (null, faults.Select(f => f.ToString()));
        var targets = engagement.Targets.Where(t => t.Source == AwsSource.Name && (question.Target is null || t.Name == question.Target)).ToArray();
        return targets is [var one]
            ? (one, [])
            : (null, [$"name one of the engagement's AWS targets with --target: {string.Join(", ", engagement.Targets.Where(t => t.Source == AwsSource.Name).Select(t => t.Name))}"]);
    }

    private sealed record Question(string Operation, string[] Parameters, string? Region, string? Engagement, string? Target);
}
