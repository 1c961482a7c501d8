using System.Collections.Frozen;
using System.Net;
using AuditCli.Collectors.Aws.Client;

namespace AuditCli.Collectors.Aws;

/// <summary>The documented request rates of AWS operations, and the error codes for requests above them.</summary>
internal static class AwsQuotas
{
    /// <summary>
    /// Requests per second and account in a region, for operations whose limit is so low that a single reader exceeds it
    /// (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
    /// </summary>
    private static readonly FrozenDictionary<string, double> PerSecond = new Dictionary<string, double>(StringComparer.Ordinal)
    {
        ["cloudtrail:LookupEvents"] = 2,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The throttling codes: the request should be repeated more slowly, and they say nothing about its content.</summary>
    private static readonly FrozenSet<string> TooOften = new[]
    {
        "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
        "RequestThrottled", "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Returns the time between two requests; null if no limit is known for the operation.</summary>
    public static TimeSpan? Interval(string operation) => PerSecond.TryGetValue(operation, out var rate) ? TimeSpan.FromSeconds(1 / rate) : null;

    /// <summary>Whether a call was refused only because there were too many.</summary>
    public static bool IsThrottled(Exception refused) =>
        refused is AwsServiceFailure failure && (failure.StatusCode == HttpStatusCode.TooManyRequests || TooOften.Contains(failure.ErrorCode));
}

/// <summary>Allows one request per interval for one operation of an account in a region.</summary>
internal sealed class RequestPace(TimeSpan interval, TimeProvider clock)
{
    private readonly Lock _turn = new();
    private long _next = clock.GetTimestamp();

    /// <summary>Waits for the next interval; a cancelled wait uses its interval up.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_turn)
        {
            var now = clock.GetTimestamp();
            var turn = Math.Max(now, _next);
            _next = turn + (long)(interval.TotalSeconds * clock.TimestampFrequency);
            wait = clock.GetElapsedTime(now, turn);
        }
        return wait > TimeSpan.Zero ? Task.Delay(wait, clock, cancellationToken) : Task.CompletedTask;
    }
}
