using System.Text.Json;

namespace AuditCli.Collectors.Rest;

/// <summary>A response, whole.</summary>
/// <param name="Fields">The value of a header field, several joined by commas; null if there is none.</param>
internal sealed record RestAnswer(int Status, ReadOnlyMemory<byte> Body, Func<string, string?> Fields)
{
    /// <summary>Returns the body as JSON.</summary>
    /// <exception cref="CollectionException">It is not JSON (<see cref="Codes.MalformedResponse"/>).</exception>
    public JsonElement Json(string what) => JsonAnswer.Strict(what, Body.Span);
}
