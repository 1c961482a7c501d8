using System.Net.Sockets;
using Amazon.Runtime;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>What a failed call is called in evidence.</summary>
internal static class AwsFailures
{
    public const string NoCredentials = "NoCredentials";
    public const string ConnectionFailed = "ConnectionFailed";
    public const string TimedOut = "TimedOut";
    public const string Redirected = "Redirected";
    public const string ClientFailed = "ClientFailed";

    /// <summary>Whether the exception is one that <see cref="Map"/> knows how to name.</summary>
    public static bool IsKnown(Exception e) => e is not CollectionException
        && Chain(e).Any(x => x is AmazonClientException or AmazonServiceException or ExchangeRefusedException or HttpRequestException or IOException or SocketException or TimeoutException);

    /// <summary>The provider's code and words, or ours.</summary>
    public static CollectionException Map(string what, Exception e)
    {
        var chain = Chain(e).ToArray();
        if (chain.OfType<ExchangeRefusedException>().FirstOrDefault() is { } refused)
            return new(refused.Code, refused.Message, e);
        if (chain.OfType<AwsServiceFailure>().FirstOrDefault() is { } failure)
        {
            return failure.RedirectHost is { } host
                ? new(Redirected, $"{what} was redirected to {host}, where the request was not sent", e)
                : new(failure.ErrorCode, failure.Message, e);
        }
        if (chain.OfType<TimeoutException>().FirstOrDefault() is { } late)
            return new(TimedOut, $"{what}: {late.Message}", e);
        if (chain.FirstOrDefault(x => x is SocketException) is { } socket)
            return new(ConnectionFailed, $"{what}: {socket.Message}", e);
        if (chain.FirstOrDefault(x => x is HttpRequestException or IOException) is { } transport)
            return new(ConnectionFailed, $"{what}: {transport.Message}", e);
        if (chain.OfType<AmazonServiceException>().FirstOrDefault() is { } service)
            return new(string.IsNullOrEmpty(service.ErrorCode) ? ClientFailed : service.ErrorCode, $"{what}: {Safe(service)}", e);
        var client = chain.First(x => x is AmazonClientException);
        return new(client.Message.Contains("credential", StringComparison.OrdinalIgnoreCase) ? NoCredentials : ClientFailed, $"{what}: {client.Message}", e);
    }

    /// <summary>The provider's words about a wrong signature quote the request, its token included.</summary>
    private static string Safe(AmazonServiceException e) =>
        e.ErrorCode?.Contains("Signature", StringComparison.Ordinal) == true ? "the signature does not match" : e.Message;

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (var at = e; at is not null; at = at.InnerException)
            yield return at;
    }
}
