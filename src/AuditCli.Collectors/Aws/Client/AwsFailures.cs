using System.Collections.Immutable;
using System.Net.Sockets;
using Amazon.Runtime;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>Maps exceptions of failed calls to the codes and messages used in evidence.</summary>
internal static class AwsFailures
{
    /// <summary>
    /// The codes with which services refuse credentials of an account that has not enabled the region, as if the credentials were wrong.
    /// </summary>
    private static readonly ImmutableArray<string> Strangers =
        ["AuthFailure", "UnrecognizedClientException", "UnrecognizedClient", "InvalidClientTokenId", "OptInRequired", "InvalidAccessKeyId", "InvalidToken"];

    /// <summary>
    /// The statuses that the services' models give to errors by which something does not exist: 400 and 404, 409 in CloudSearch and OpenSearch,
    /// 410 in Connect and IAM's credential report, 434 in Ground Station. Models of the JSON protocol state none; those services use 400.
    /// </summary>
    private static readonly ImmutableArray<int> OfNone = [400, 404, 409, 410, 434];

    /// <summary>Whether <see cref="Map"/> can map the exception.</summary>
    public static bool IsKnown(Exception e) => e is not CollectionException
        && FailureChain.Of(e).Any(x => x is AmazonClientException or AmazonServiceException or ExchangeRefusedException
                or HttpRequestException or IOException or SocketException or TimeoutException);

    /// <summary>Returns the provider's code and message, or the collector's.</summary>
    /// <param name="saysNone">Whether a code means "there is none" for the operation; null if no code does.</param>
    /// <param name="region">The region of the request and the region in which the credentials were accepted, if they differ.</param>
    public static CollectionException Map(string what, Exception e, (string Asked, string Home)? region = null, Func<string, bool>? saysNone = null)
    {
        var chain = FailureChain.Of(e).ToArray();
        if (chain.OfType<ExchangeRefusedException>().FirstOrDefault() is { } refused)
            return new(refused.Code, refused.Message, e);
        if (chain.OfType<AwsServiceFailure>().FirstOrDefault() is { } failure)
        {
            if (region is var (asked, home) && Strangers.Contains(failure.ErrorCode))
            {
                return new(
                    AwsCodes.RegionNotEnabled,
                    $"{what} in {asked}: {failure.ErrorCode}: {failure.Message}; {home} accepts the same credentials, so the account has not enabled "
                        + $"{asked}, or the session token comes from the global STS endpoint, which opt-in regions refuse; "
                        + "enable it (account:EnableRegion), "
                        + "use a token of a regional STS endpoint, or leave the region out of the target's regions",
                    e);
            }
            // A proxy or an overloaded service that denies or fails a request does not know what exists.
            if (!OfNone.Contains((int)failure.StatusCode) && saysNone?.Invoke(failure.ErrorCode) == true)
            {
                return new(
                    AwsCodes.OfStatus((int)failure.StatusCode),
                    $"{what}: the response says {failure.ErrorCode}, but its HTTP status {(int)failure.StatusCode} is not that of such an error: "
                        + failure.Message,
                    e);
            }
            return failure.RedirectHost is { } host
                ? new(Codes.Redirected, $"{what} was redirected to {host}, where the request was not sent", e)
                : new(failure.ErrorCode, failure.Message, e);
        }
        if (UntrustedServerException.In(e) is { } untrusted)
            return new(Codes.UntrustedServer, $"{what}: {untrusted.Message}", e);
        if (chain.OfType<TimeoutException>().FirstOrDefault() is { } late)
            return new(Codes.TimedOut, $"{what}: {late.Message}", e);
        if (chain.Any(x => x is SocketException or HttpRequestException or IOException))
            return new(Codes.ConnectionFailed, $"{what}: {FailureChain.Words(e)}", e);
        if (chain.OfType<AmazonServiceException>().FirstOrDefault() is { } service)
            return new(string.IsNullOrEmpty(service.ErrorCode) ? AwsCodes.ClientFailed : service.ErrorCode, $"{what}: {Safe(service)}", e);
        var client = chain.First(x => x is AmazonClientException);
        var isOfCredentials = client.Message.Contains("credential", StringComparison.OrdinalIgnoreCase);
        return new(isOfCredentials ? Codes.NoCredentials : AwsCodes.ClientFailed, $"{what}: {client.Message}", e);
    }

    /// <summary>Replaces the provider's message about a wrong signature, which quotes the request including its token.</summary>
    private static string Safe(AmazonServiceException e) =>
        e.ErrorCode?.Contains("Signature", StringComparison.Ordinal) == true ? "the signature does not match" : e.Message;
}
