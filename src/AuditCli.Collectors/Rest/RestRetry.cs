namespace AuditCli.Collectors.Rest;

/// <summary>
/// The rules by which a request to an HTTP API is repeated. The number of attempts is fixed, since a replay has only the recorded responses.
/// </summary>
internal static class RestRetry
{
    /// <summary>The number of attempts at a request, including the first.</summary>
    public const int Attempts = 6;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(32);

    /// <summary>The longest wait that a server may ask for.</summary>
    public static TimeSpan LongestAskedFor { get; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether a status reports overload or another transient error of the server.</summary>
    public static bool IsPassing(int status) => status is 408 or 429 or 500 or 502 or 503 or 504;

    /// <summary>Returns the wait after a failed attempt, counted from 1, if the server does not ask for a longer one.</summary>
    public static TimeSpan Backoff(int failed)
    {
        var step = TimeSpan.FromMilliseconds(250 * Math.Pow(2, failed));
        return (step < Longest ? step : Longest) + TimeSpan.FromMilliseconds(Random.Shared.Next(250));
    }
}
