using System.Text.Json;

namespace AuditCli.Collectors.Rest;

/// <summary>A response, whole.</summary>
/// <param name="Fields">The value of a header field, several joined by commas; null if there is none.</param>
internal sealed record RestAnswer(int Status, ReadOnlyMemory<byte> Body, Func<string, string?> Fields)
{
    /// <summary>Refuses duplicate members, because it is not defined which of the two the provider meant.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Returns the body as JSON.</summary>
    /// <exception cref="CollectionException">It is not JSON (<see cref="Codes.MalformedResponse"/>).</exception>
    public JsonElement Json(string what)
    {
        try
        {
            return JsonAnswer.Parse(Body.Span, Strict, values: false);
        }
        catch (JsonException e)
        {
            throw new CollectionException(Codes.MalformedResponse, $"{what}: the response is not JSON: {e.Message}", e);
        }
    }
}
