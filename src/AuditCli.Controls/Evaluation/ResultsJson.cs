using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>Writes and reads results.json. Equal results give equal bytes.</summary>
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

    /// <summary>Reads the output of <see cref="Write"/>, strictly: no unknown, duplicate or missing member.</summary>
    /// <exception cref="JsonException">The bytes are not results of schema 1.</exception>
    public static EvaluationResults Read(ReadOnlySpan<byte> json)
    {
        var results = JsonSerializer.Deserialize(json, Context.EvaluationResults) ?? throw new JsonException("the results are null");
        if (JsonMember.NullElement(JsonElement.Parse(json)) is { } missing)
            throw new JsonException($"{missing} is null");
        return results.Schema == EvaluationResults.CurrentSchema
            ? results
            : throw new JsonException($"results of schema {results.Schema} cannot be read, only of schema {EvaluationResults.CurrentSchema}");
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
internal sealed partial class ResultsContext : JsonSerializerContext;
