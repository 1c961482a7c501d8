
namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// An exchange that the pipeline itself stopped. It is not an <see cref="HttpRequestException"/> or <see cref="IOException"/>, so that no
/// SDK retries it.
/// </summary>
/// <param name="code">One of the constants here; it becomes the code of the evidence item.</param>
public sealed class ExchangeRefusedException(string code, string message) : InvalidOperationException(message)
{
    /// <summary>The catalogue does not list the request; nothing was sent.</summary>
    public const string ReadOnly = "RefusedReadOnly";

    /// <summary>A replay has no (further) recorded response.</summary>
    public const string NoRecording = "NoRecording";

    /// <summary>The response body exceeds the limit and is not stored.</summary>
    public const string TooLarge = "ResponseTooLarge";

    public string Code { get; } = code;
}
