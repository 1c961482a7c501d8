using System.Collections.Frozen;
using System.Net;
using AuditCli.Collectors.Aws.Client;

namespace AuditCli.Collectors.Aws;

/// <summary>What AWS says how often an operation may be asked, and in which words it says that it was asked too often.</summary>
internal static class AwsQuotas
{
    /// <summary>
    /// Requests a second that an account has in a region, where they are so few that one reader alone goes beyond them
    /// (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
    /// </summary>
    private static readonly FrozenDictionary<string, double> PerSecond = new Dictionary<string, double>(StringComparer.Ordinal)
    {
        ["cloudtrail:LookupEvents"] = 2,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Codes that ask to come again more slowly; they say nothing about what was asked.</summary>
    private static readonly FrozenSet<string> TooOften = new[]
    {
        "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
        "RequestThrottled", "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The time from one request to the next; null where an operation has no limit that is known here.</summary>
    public static TimeSpan? Interval(string operation) => PerSecond.TryGetValue(operation, out var rate) ? TimeSpan.FromSeconds(1 / rate) : null;

    /// <summary>Whether a call was refused only because there were too many.</summary>
    public static bool IsThrottled(Exception refused) =>
        refused is AwsServiceFailure failure && (failure.StatusCode == HttpStatusCode.TooManyRequests || TooOften.Contains(failure.ErrorCode));
}

/// <summary>Hands out turns, one in each interval, to whoever asks one operation of an account in a region.</summary>
internal sealed class RequestPace(TimeSpan interval, TimeProvider clock)
{
    private readonly Lock _turn = new();
    private long _next = clock.GetTimestamp();

    /// <summary>Waits for a turn, which is lost when the wait is cancelled.</summary>
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
