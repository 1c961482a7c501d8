using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>Writes and reads results.json and the lines of results by partition. Equal results give equal bytes.</summary>
public static class ResultsJson
{
    private static readonly ResultsContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 64,
        // The file is never embedded in HTML; the default encoder would escape every letter beyond ASCII.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter<Conclusion>(JsonNamingPolicy.SnakeCaseUpper, allowIntegerValues: false),
            new JsonStringEnumConverter<CollectionOutcome>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<ControlOrigin>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<ItgcDomain>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<ControlMode>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<PersonWord>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<DispositionWord>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new JsonStringEnumConverter<ColumnType>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new DigestConverter(),
            new InstantConverter(),
        },
    });

    /// <summary>Returns the UTF-8 bytes, without insignificant white space and without a line end.</summary>
    public static byte[] Write(EvaluationResults results) => JsonSerializer.SerializeToUtf8Bytes(results, Context.EvaluationResults);

    /// <summary>
    /// Reads the output of <see cref="Write"/>, strictly: no unknown, duplicate or missing member. Results of schema 1 give the same model.
    /// </summary>
    /// <exception cref="JsonException">The bytes are not results of a known schema.</exception>
    public static EvaluationResults Read(ReadOnlySpan<byte> json)
    {
        var root = JsonElement.Parse(json);
        if (JsonMember.NullElement(root) is { } missing)
            throw new JsonException($"{missing} is null");
        if (IsSchema1(root))
            return ReadSchema1(json);
        var results = JsonSerializer.Deserialize(json, Context.EvaluationResults) ?? throw new JsonException("the results are null");
        return results.Schema == EvaluationResults.CurrentSchema
            ? results
            : throw new JsonException($"results of schema {results.Schema} cannot be read, only of schema 1 and {EvaluationResults.CurrentSchema}");
    }

    /// <summary>Whether results say that they are of schema 1, in which each control has its results by partition.</summary>
    public static bool IsSchema1(JsonElement results) =>
        results.ValueKind == JsonValueKind.Object && results.TryGetProperty("schema", out var schema)
        && schema.ValueKind == JsonValueKind.Number && schema.TryGetInt32(out var number) && number == 1;

    /// <summary>Returns a result as an object with the members of its line.</summary>
    public static JsonElement Element(TestResult result) => JsonSerializer.SerializeToElement(result, Context.TestResult);

    internal static byte[] Line(TestResult result) => JsonSerializer.SerializeToUtf8Bytes(result, Context.TestResult);

    /// <exception cref="JsonException">The bytes are not such a line.</exception>
    internal static TestResult ReadLine(ReadOnlySpan<byte> json)
    {
        var result = JsonSerializer.Deserialize(json, Context.TestResult) ?? throw new JsonException("it is null");
        return JsonMember.NullElement(JsonElement.Parse(json)) is { } missing ? throw new JsonException($"{missing} is null") : result;
    }

    /// <summary>Adds up the tests of each control, as later schemas do when they are written.</summary>
    private static EvaluationResults ReadSchema1(ReadOnlySpan<byte> json)
    {
        var root = JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false, MaxDepth = 64 })!.AsObject();
        var partitions = new List<ImmutableArray<TestResult>>();
        foreach (var control in (root["controls"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (control["tests"] is not JsonArray tests || control.ContainsKey("partitions"))
                throw new JsonException($"controls[{partitions.Count}] does not have the members of schema 1");
            partitions.Add(tests.Deserialize(Context.ImmutableArrayTestResult));
            control["tests"] = JsonSerializer.SerializeToNode(TestTotals.Of(partitions[^1]), Context.ImmutableArrayTestTotals);
        }
        var results = root.Deserialize(Context.EvaluationResults) ?? throw new JsonException("the results are null");
        return results with { Controls = [.. results.Controls.Zip(partitions, (c, p) => c with { PartitionsOfSchema1 = p })] };
    }

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Rfc3339.TryParse(reader.GetString() ?? "", out var instant) ? instant : throw new JsonException("not an instant of RFC 3339");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Rfc3339.Format(value));
    }
}

[JsonSerializable(typeof(EvaluationResults))]
[JsonSerializable(typeof(ImmutableArray<TestResult>))]
[JsonSerializable(typeof(ImmutableArray<TestTotals>))]
internal sealed partial class ResultsContext : JsonSerializerContext;
