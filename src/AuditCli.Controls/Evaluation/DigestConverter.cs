using System.Text.Json;
using System.Text.Json.Serialization;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>Converts a digest to and from its 64 digits.</summary>
internal sealed class DigestConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out var digest) ? digest : throw new JsonException("not 64 lower-case hexadecimal digits");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.Hex);
}
