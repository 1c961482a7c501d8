using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Rest;

/// <summary>Maps failed calls to the codes and messages used in evidence.</summary>
internal static class RestFailures
{
    private const int LongestMessage = 500;

    /// <summary>
    /// Returns the provider's own code and message. An API without codes has the message in their place where the catalogue knows it as a
    /// "there is none": <c>404 Branch not protected</c>. Otherwise the code is that of the status, such as <c>Status403</c>.
    /// </summary>
    public static CollectionException Of(string what, RestApi api, RestOperation operation, RestAnswer answer)
    {
        if (answer.Status is >= 300 and < 400)
            return new(Codes.Redirected, $"{what} was redirected, and redirects are not followed");
        var code = Codes.OfStatus(answer.Status);
        if (JsonAnswer.Object(answer.Body.Span, JsonAnswer.Unambiguous) is not { } body)
            return new(code, $"{what}: the response has status {answer.Status} and no error in the form of the API");
        var errors = api.Map("error");
        var message = Found(body, errors.GetValueOrDefault("message")) ?? $"{what}: status {answer.Status}";
        var own = Found(body, errors.GetValueOrDefault("code"));
        var exact = string.Create(CultureInfo.InvariantCulture, $"{answer.Status} {message}");
        var said = own ?? (operation.None.Contains(exact, StringComparer.Ordinal) ? exact : code);
        var words = $"{what}: {(message.Length > LongestMessage ? message[..LongestMessage] + "..." : message)}";
        return operation.None.Contains(said, StringComparer.Ordinal) && WhyNotNone(errors, answer, body) is { } why
            ? new(code, $"{words} (the response says {said}, but {why})")
            : new(said, words);
    }

    /// <summary>
    /// Returns why a response does not prove that there is none, although it has the code for it; null if it does. What denies, limits or
    /// rewrites a request does not know what exists.
    /// </summary>
    private static string? WhyNotNone(ImmutableSortedDictionary<string, string> errors, RestAnswer answer, JsonElement body)
    {
        if (answer.Status != (int)HttpStatusCode.NotFound)
            return $"its HTTP status {answer.Status} is not that of such an error";
        if (answer.Fields("Content-Type") is { } type && !type.Contains("json", StringComparison.OrdinalIgnoreCase))
            return $"it is {type}, not JSON";
        if (answer.Fields("Retry-After") is { } wait)
            return $"asks to be repeated (Retry-After: {wait})";
        var known = errors.Values.Select(p => p.Split('/')[1]).Distinct(StringComparer.Ordinal).ToArray();
        return UnknownMembers.InAnotherCase(body, known) is var (found, name) ? $"has {found} where the API has {name}"
            : Others.FirstOrDefault(o => !known.Contains(o) && body.TryGetProperty(o, out var other) && !UnknownMembers.IsEmpty(other)) is { } second
                ? $"has {second} beside the error"
            : null;
    }

    /// <summary>Members that are errors of other APIs or of proxies.</summary>
    private static readonly string[] Others = ["error", "errors", "Error", "fault", "exception", "status", "code"];

    /// <summary>Whether a failure of the connection may pass by itself; that of an untrusted server does not.</summary>
    public static bool MayPass(HttpRequestException e) =>
        UntrustedServerException.In(e) is null && !FailureChain.Of(e).Any(x => x is ExchangeRefusedException);

    /// <summary>Whether <see cref="Map"/> can map the exception.</summary>
    public static bool IsKnown(Exception e) => e is not CollectionException
        && FailureChain.Of(e).Any(x => x is ExchangeRefusedException or HttpRequestException or IOException or SocketException or TimeoutException);

    /// <summary>Maps a failure of the transport.</summary>
    public static CollectionException Map(string what, Exception e)
    {
        var chain = FailureChain.Of(e).ToArray();
        if (chain.OfType<ExchangeRefusedException>().FirstOrDefault() is { } refused)
            return new(refused.Code, refused.Message, e);
        if (UntrustedServerException.In(e) is { } untrusted)
            return new(Codes.UntrustedServer, $"{what}: {untrusted.Message}", e);
        if (chain.OfType<TimeoutException>().FirstOrDefault() is { } late)
            return new(Codes.TimedOut, $"{what}: {late.Message}", e);
        return new(Codes.ConnectionFailed, $"{what}: {FailureChain.Words(e)}", e);
    }

    private static string? Found(JsonElement body, string? pointer) =>
        pointer is not null && JsonPointer.Find(body, pointer) is { } found && JsonMember.TextOrRaw(found) is { Length: > 0 } text ? text : null;
}
