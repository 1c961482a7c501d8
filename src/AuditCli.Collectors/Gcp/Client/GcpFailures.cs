using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence.Text;
using Google.Apis.Auth.OAuth2.Responses;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>Maps failed calls to the codes and messages used in evidence.</summary>
internal static class GcpFailures
{
    private const int Unauthorized = 401, NotFound = 404, TooManyRequests = 429;

    /// <summary>Returns Google's own status, reason and message.</summary>
    public static CollectionException Of(string what, int status, ReadOnlyMemory<byte> body)
    {
        if (status is >= 300 and < 400)
            return new(Codes.Redirected, $"{what} was redirected, and redirects are not followed");
        var code = GcpCodes.OfStatus(status);
        if (Error(body) is not { } error)
            return new(code, $"{what}: the response has status {status} and no error in Google's form");
        var message = Text(error, "message") ?? $"{what}: status {status}";
        var (reason, permission) = Reason(error);
        if (Contradiction(status, error, reason) is { } contradiction)
            return new(code, $"{what}: the response has status {status}, but {contradiction}: {message}");
        if (reason is "SERVICE_DISABLED" or "accessNotConfigured")
            return new(GcpCodes.ApiNotEnabled, message);
        var detail = string.Join(' ', new[] { reason, permission }.OfType<string>());
        // The older APIs have no status; their reason is equivalent.
        return new(
            Text(error, "status") ?? reason ?? code,
            detail.Length == 0 || message.Contains(detail, StringComparison.Ordinal) ? message : $"{message} ({detail})");
    }

    /// <summary>Whether <see cref="Map"/> can map the exception.</summary>
    public static bool IsKnown(Exception e) => RestFailures.IsKnown(e)
        || e is not CollectionException && FailureChain.Of(e).Any(x => x is TokenResponseException or Google.GoogleApiException);

    /// <summary>Maps a failure of the transport or of the credentials.</summary>
    public static CollectionException Map(string what, Exception e) =>
        FailureChain.Of(e).OfType<TokenResponseException>().FirstOrDefault() is { } token
            ? new(Codes.NoCredentials, $"{what}: {token.Error?.Error} {token.Error?.ErrorDescription}".TrimEnd(), e)
            : RestFailures.Map(what, e);

    /// <summary>
    /// Returns how an error contradicts the status of its response; null if it does not. An error states the status as its <c>code</c>, and
    /// NOT_FOUND has 404 (https://cloud.google.com/apis/design/errors); with another status, something between changed the response.
    /// </summary>
    private static string? Contradiction(int status, JsonElement error, string? reason)
    {
        if (error.TryGetProperty("code", out var stated)
            && !(stated.ValueKind == JsonValueKind.Number && stated.TryGetInt32(out var number) && number == status))
            return $"its error is {stated.GetRawText()}";
        if (status != NotFound && ((Text(error, "status") ?? reason) is "NOT_FOUND" or "notFound"))
            return "its error is NOT_FOUND";
        return status is Unauthorized or TooManyRequests or >= 500 && reason is "SERVICE_DISABLED" or "accessNotConfigured" ? $"its reason is {reason}" : null;
    }

    private static JsonElement? Error(ReadOnlyMemory<byte> body) =>
        JsonAnswer.Object(body.Span) is { } answer && answer.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
            ? error
            : null;

    /// <summary>Returns the first reason in the error, in the new or the old form, and the missing permission.</summary>
    private static (string? Reason, string? Permission) Reason(JsonElement error)
    {
        foreach (var list in new[] { "details", "errors" })
        {
            if (!error.TryGetProperty(list, out var all) || all.ValueKind != JsonValueKind.Array)
                continue;
            foreach (var one in all.EnumerateArray().Where(o => o.ValueKind == JsonValueKind.Object))
            {
                if (Text(one, "reason") is { } reason)
                {
                    var permission = one.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
                        ? Text(metadata, "permission")
                        : null;
                    return (reason, permission);
                }
            }
        }
        return (null, null);
    }

    private static string? Text(JsonElement e, string name) =>
        JsonMember.Text(e, name) is { Length: > 0 } text ? text : null;
}
