using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Http;
using k8s;
using k8s.Models;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>What a failed request is called in evidence: the server's reason and words where it sent a Status, else ours.</summary>
internal static class KubernetesFailures
{
    public const string NoCredentials = "NoCredentials";
    public const string ConnectionFailed = "ConnectionFailed";
    public const string TimedOut = "TimedOut";
    public const string Redirected = "Redirected";
    public const string NotServed = "NotServed";
    public const string NotFound = "NotFound";
    public const string ListExpired = "ListExpired";
    public const string RepeatedToken = "RepeatedToken";
    public const string MalformedResponse = "MalformedResponse";

    /// <summary>The answer says that more follows, and not how to read it.</summary>
    public const string NextPageUnreadable = "NextPageUnreadable";

    /// <summary>An answer that is no success.</summary>
    public static CollectionException Of(string what, HttpResponseMessage answer, ReadOnlySpan<byte> body)
    {
        var number = (int)answer.StatusCode;
        if (number is >= 300 and < 400)
        {
            var where = answer.Headers.Location is { IsAbsoluteUri: true } location ? location.Host : "another path";
            return new(Redirected, $"{what} was redirected to {where}, where the request was not sent");
        }
        if (Status(body) is var (reason, message))
            return new(reason, message);
        // Something in front of the API server answered, or a request did not come so far as to be understood. What an API server says of a path
        // that it has not is known word for word; any other page says nothing of the cluster.
        var code = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => "Unauthorized",
            HttpStatusCode.Forbidden => "Forbidden",
            HttpStatusCode.NotFound when body.Trim((byte)'\n').SequenceEqual("404 page not found"u8) => NotFound,
            HttpStatusCode.Gone => "Expired",
            HttpStatusCode.TooManyRequests => "TooManyRequests",
            _ => string.Create(CultureInfo.InvariantCulture, $"Http{number}"),
        };
        return new(code, string.Create(CultureInfo.InvariantCulture, $"{what}: HTTP {number} {answer.ReasonPhrase}, without a Status"));
    }

    /// <summary>No answer at all.</summary>
    public static CollectionException Of(string what, Exception failure)
    {
        var chain = Chain(failure).ToArray();
        if (chain.OfType<ExchangeRefusedException>().FirstOrDefault() is { } refused)
            return new(refused.Code, refused.Message, failure);
        if (chain.OfType<TimeoutException>().FirstOrDefault() is { } late)
            return new(TimedOut, $"{what}: {late.Message}", failure);
        if (UntrustedServerException.In(failure) is { } untrusted)
            return new(UntrustedServerException.Code, $"{what}: {untrusted.Message}", failure);
        return new(ConnectionFailed, $"{what}: {FailureChain.Words(failure)}", failure);
    }

    /// <summary>Whether no connection could be secured, as by a server that did not prove who it is; asking again would not change that.</summary>
    public static bool IsUntrusted(Exception failure) =>
        Chain(failure).OfType<HttpRequestException>().Any(e => e.HttpRequestError == HttpRequestError.SecureConnectionError);

    /// <summary>The Status of the Kubernetes API (meta/v1), by the official client's own model; null for a body that is none or gives no reason.</summary>
    private static (string Reason, string Message)? Status(ReadOnlySpan<byte> body)
    {
        try
        {
            return KubernetesJson.Deserialize<V1Status>(Encoding.UTF8.GetString(body)) is { Kind: V1Status.KubeKind, Reason: { Length: > 0 } reason } status
                ? (reason, status.Message ?? "")
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (var at = e; at is not null; at = at.InnerException)
            yield return at;
    }
}
