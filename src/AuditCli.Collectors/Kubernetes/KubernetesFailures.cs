using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using k8s;
using k8s.Models;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Maps failed requests to the codes and messages used in evidence: the server's reason and message if it sent a Status, else the
/// collector's.
/// </summary>
internal static class KubernetesFailures
{
    /// <summary>Maps a response without a success status.</summary>
    public static CollectionException Of(string what, HttpResponseMessage answer, ReadOnlySpan<byte> body)
    {
        var number = (int)answer.StatusCode;
        if (number is >= 300 and < 400)
        {
            var where = answer.Headers.Location is { IsAbsoluteUri: true } location ? location.Host : "another path";
            return new(Codes.Redirected, $"{what} was redirected to {where}, where the request was not sent");
        }
        if (Status(body) is var (status, raw))
        {
            return Contradiction(number, status, raw) is { } how
                ? new(KubernetesCodes.OfStatus(number), string.Create(
                    CultureInfo.InvariantCulture, $"{what}: HTTP {number} with a Status that contradicts it ({how}): {status.Message}"))
                : new(status.Reason, status.Message ?? "");
        }
        // The response comes from an intermediary, or from the API server before it recognised the request. The API server's body for an
        // unknown path has a fixed text; any other page says nothing about the cluster.
        var code = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => KubernetesCodes.Unauthorized,
            HttpStatusCode.Forbidden => KubernetesCodes.Forbidden,
            HttpStatusCode.NotFound when body.Trim((byte)'\n').SequenceEqual("404 page not found"u8) => KubernetesCodes.NotFound,
            HttpStatusCode.Gone => KubernetesCodes.Expired,
            HttpStatusCode.TooManyRequests => KubernetesCodes.TooManyRequests,
            _ => KubernetesCodes.OfStatus(number),
        };
        return new(code, string.Create(CultureInfo.InvariantCulture, $"{what}: HTTP {number} {answer.ReasonPhrase}, without a Status"));
    }

    /// <summary>Maps a failure without any response.</summary>
    public static CollectionException Of(string what, Exception failure)
    {
        var chain = FailureChain.Of(failure).ToArray();
        if (chain.OfType<ExchangeRefusedException>().FirstOrDefault() is { } refused)
            return new(refused.Code, refused.Message, failure);
        if (chain.OfType<TimeoutException>().FirstOrDefault() is { } late)
            return new(Codes.TimedOut, $"{what}: {late.Message}", failure);
        if (UntrustedServerException.In(failure) is { } untrusted)
            return new(Codes.UntrustedServer, $"{what}: {untrusted.Message}", failure);
        return new(Codes.ConnectionFailed, $"{what}: {FailureChain.Words(failure)}", failure);
    }

    /// <summary>
    /// Whether the TLS connection failed, for example because the server could not prove its identity; a retry would not change that.
    /// </summary>
    public static bool IsUntrusted(Exception failure) =>
        FailureChain.Of(failure).OfType<HttpRequestException>().Any(e => e.HttpRequestError == HttpRequestError.SecureConnectionError);

    /// <summary>
    /// Returns how a Status contradicts its response; null if it does not. The API server gives a failure the HTTP status that the Status has
    /// as its code, and NotFound has 404; with another one, something between changed the response.
    /// </summary>
    private static string? Contradiction(int number, V1Status status, JsonElement raw) =>
        status.Status is { Length: > 0 } and not "Failure" ? $"status {status.Status}"
        : status.Code is { } code and not 0 && code != number ? $"code {code}"
        // A code of this program's own says what it found out, which no server can.
        : Codes.All.Any(c => c.Code == status.Reason && c.Kind == CodeKind.Absent) && status.Reason != KubernetesCodes.NotFound ? $"reason {status.Reason}"
        : status.Reason != KubernetesCodes.NotFound ? null
        : number != (int)HttpStatusCode.NotFound ? $"reason {status.Reason}"
        : status.Status is null && status.Code is null ? "without status and code"
        : status.ApiVersion is not (null or "" or "v1") ? $"version {status.ApiVersion}"
        : UnknownMembers.InAnotherCase(raw, OfStatus) is var (found, known) ? $"{found} beside {known}"
        : raw.EnumerateObject().FirstOrDefault(m => !OfStatus.Contains(m.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } member ? member.Name
        : null;

    private static readonly string[] OfStatus = ["kind", "apiVersion", "metadata", "status", "message", "reason", "details", "code"];

    /// <summary>
    /// Parses the Status of the Kubernetes API (meta/v1) by the official client's model; null if the body is not a Status or has no reason.
    /// </summary>
    private static (V1Status Status, JsonElement Raw)? Status(ReadOnlySpan<byte> body)
    {
        // The model would take the last of two members of one name.
        if (JsonAnswer.Object(body, JsonAnswer.Unambiguous) is not { } raw)
            return null;
        try
        {
            var status = KubernetesJson.Deserialize<V1Status>(Encoding.UTF8.GetString(body));
            return status is { Kind: V1Status.KubeKind, Reason.Length: > 0 } ? (status, raw) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
