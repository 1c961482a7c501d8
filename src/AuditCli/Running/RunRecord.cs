using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Running;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Running;

/// <summary>The parts of a run's record that re-performance needs.</summary>
/// <param name="Evaluation">The number of the rules of evaluation (<see cref="EvaluationRules"/>).</param>
/// <param name="Targets">The names of the targets that were entered or could not be entered.</param>
internal sealed record RecordedRun(
    string Tool, string Mode, int Evaluation, DateTimeOffset AsOf, string EngagementSha256, ImmutableArray<string> Targets);

/// <summary>
/// Writes and reads <c>data/run.json</c>: who ran what, when, where and with which identity, and everything that narrows or changes the
/// scope.
/// </summary>
internal static class RunRecord
{
    private const int Schema = 1;

    /// <summary>The number of the rules of evaluation of bundles whose record does not state it.</summary>
    private const int BeforeNumbers = 1;

    public static byte[] Write(string bundleId, PreparedRun prepared, RunFacts facts)
    {
        var engagement = prepared.Engagement;
        var record = new JsonObject
        {
            ["schema"] = Schema,
            ["bundle_id"] = bundleId,
            ["mode"] = facts.Mode,
            ["evaluation"] = EvaluationRules.Current,
            ["tool"] = Maker(),
            ["run_by"] = new JsonObject { ["user"] = facts.User, ["machine"] = facts.Machine },
            ["entity"] = engagement.Entity,
            ["name"] = engagement.Name,
            ["preparer"] = engagement.Preparer,
            ["reviewer"] = engagement.Reviewer,
            ["engagement_sha256"] = Digest.Of(engagement.Source.Span).Hex,
            ["period"] = new JsonObject
            {
                ["start"] = engagement.Period.Start.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["end"] = engagement.Period.End.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["time_zone"] = engagement.Period.TimeZone,
            },
            ["as_of"] = Instant(facts.AsOf),
            ["started"] = Instant(facts.Started),
            ["finished"] = Instant(facts.Finished),
            ["recorded"] = facts.Recorded is { } r ? new JsonObject { ["first"] = Instant(r.First), ["last"] = Instant(r.Last) } : null,
            ["targets"] = new JsonArray([.. facts.Reached.Select(t => (JsonNode)TargetOf(t))]),
            ["unusual_endpoints"] = new JsonArray([.. facts.UnusualEndpoints.Select(x => (JsonNode)x)]),
            ["inputs"] = new JsonArray([.. engagement.Inputs.Select(i => (JsonNode)InputOf(i, facts.Inputs.FirstOrDefault(b => b.Name == i.Name)))]),
            ["clock_offset_seconds"] = new JsonObject(
                facts.ClockOffsets.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)Math.Round(o.Value.TotalSeconds, 3)))),
            ["limits"] = new JsonObject
            {
                ["requests_at_once"] = facts.Limits.AtOnce,
                ["requests_at_once_per_account_and_region"] = facts.Limits.PerAccountAndRegion,
                ["requests_at_once_per_service"] = facts.Limits.PerService,
                ["connections"] = facts.Limits.Connections,
            },
            ["secrets_allowed"] = new JsonArray([.. facts.Leaks.Select(l => (JsonNode)l.File)]),
            ["unused_recordings"] = new JsonArray(
                [.. facts.Unused.Select(u => (JsonNode)new JsonObject { ["file"] = u.File, ["count"] = u.Count })]),
        };
        if (facts.Resumed is { } resumed)
        {
            record["resumed"] = new JsonObject
            {
                ["bundle_id"] = resumed.BundleId,
                ["at"] = Instant(resumed.At),
                ["user"] = resumed.User,
                ["machine"] = resumed.Machine,
            };
        }
        return JsonSerializer.SerializeToUtf8Bytes(record);
    }

    /// <summary>Returns this program's name, version and platform, for the record.</summary>
    public static JsonObject Maker() => new()
    {
        ["name"] = "auditcli",
        ["version"] = Tool.Version,
        ["runtime"] = System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
        ["system"] = System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier,
    };

    /// <summary>Reads the parts of <c>data/run.json</c> that the program needs.</summary>
    /// <exception cref="InvalidDataException">The bytes are not the record of a run; the message says what is missing.</exception>
    public static RecordedRun Read(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var run = document.RootElement;
            if (run.TryGetProperty("recorded", out var recorded) && (recorded.ValueKind == JsonValueKind.Object) != (Text(run, "mode") == "replay"))
            {
                var isRecorded = recorded.ValueKind == JsonValueKind.Object;
                throw new InvalidDataException(
                    $"run.json contradicts itself: its mode is {Text(run, "mode")}, and "
                    + $"{(isRecorded ? "it says when exchanges were recorded" : "it does not say when exchanges were recorded")}");
            }
            return run.GetProperty("schema").GetInt32() != Schema
                ? throw new InvalidDataException($"run.json is of schema {run.GetProperty("schema")}, and only {Schema} can be read")
                : new(
                    Text(run.GetProperty("tool"), "version"),
                    Text(run, "mode"),
                    run.TryGetProperty("evaluation", out var evaluation) ? evaluation.GetInt32() : BeforeNumbers,
                    Rfc3339.TryParse(Text(run, "as_of"), out var asOf) ? asOf : throw new InvalidDataException("'as_of' of run.json is no instant"),
                    Text(run, "engagement_sha256"),
                    [.. run.GetProperty("targets").EnumerateArray().Select(t => Text(t, "name")).Distinct(StringComparer.Ordinal)]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"run.json is not the record of a run: {e.Message}", e);
        }
    }

    /// <summary>Returns an instant of the record or of a part of it.</summary>
    /// <exception cref="InvalidDataException">The member is missing or is not an instant.</exception>
    public static DateTimeOffset InstantOf(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && Rfc3339.TryParse(value.GetString()!, out var instant)
            ? instant
            : throw new InvalidDataException($"'{name}' of run.json is no instant");

    private static string Text(JsonElement of, string name) =>
        of.GetProperty(name).GetString() ?? throw new InvalidDataException($"'{name}' of run.json is null");

    private static JsonObject InputOf(EngagementInput input, BundledInput? bundled) => new()
    {
        ["name"] = input.Name,
        ["obtained_from"] = input.ObtainedFrom,
        ["obtained_on"] = input.ObtainedOn.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ["how"] = input.How,
        ["stated_rows"] = input.StatedRows,
        ["report_parameters"] = input.ReportParameters,
        ["file"] = bundled?.File,
        ["sha256"] = bundled?.Sha256.Hex,
        ["tested"] = bundled?.IsRead,
    };

    private static JsonObject TargetOf(ReachedTarget target) => new()
    {
        ["name"] = target.Target.Name,
        ["source"] = target.Target.Source,
        ["settings"] = new JsonObject(target.Target.Settings.Select(s =>
            KeyValuePair.Create(s.Key, (JsonNode?)new JsonArray([.. s.Value.Select(v => (JsonNode)v)])))),
        ["account"] = target.Account.Length > 0 ? target.Account : null,
        ["identity"] = target.IsEntered && target.Connection!.Identity.Length > 0 ? target.Connection.Identity : null,
        ["place"] = target.IsEntered && !target.Connection!.Place.IsEmpty
            ? new JsonObject(target.Connection.Place.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)))
            : null,
        ["regions"] = target.IsEntered ? new JsonArray([.. target.Connection!.Regions.Select(x => (JsonNode)x)]) : null,
        ["regions_not_enabled"] = target.IsEntered ? new JsonArray([.. target.Connection!.NotEnabled.Select(x => (JsonNode)x)]) : null,
        ["read_through"] = target.ReadThrough,
        ["left_out"] = target.Connection?.LeftOut,
        ["failure"] = target.Failure is { } f ? new JsonObject { ["code"] = f.Code, ["message"] = f.Message } : null,
        ["exchanges"] = new JsonArray([.. target.Exchanges.Select(e => (JsonNode)new JsonObject
        {
            ["file"] = e.File,
            ["record_id"] = e.RecordId,
            ["status"] = e.Status,
            ["date"] = Instant(e.Date),
        })]),
    };

    internal static string Instant(DateTimeOffset value) => Rfc3339.Format(value);
}
