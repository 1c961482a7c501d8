using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// An HTTP message as a record's block holds it (in the form of RFC 9112): start line, fields in order, and the body without
/// transfer or content coding.
/// </summary>
/// <param name="StartLine">
/// The request or status line, always with <c>HTTP/1.1</c>, because WARC readers know no other version. The actual protocol is in
/// <see cref="HttpExchange.Protocol"/>.
/// </param>
public sealed record HttpBlock(string StartLine, ImmutableArray<KeyValuePair<string, string>> Fields, ReadOnlyMemory<byte> Body)
{
    /// <summary>Returns the first field of that name (case-insensitive), or null.</summary>
    public string? Field(string name) => Values(name).FirstOrDefault();

    /// <summary>Returns the values of every field of that name (case-insensitive), in order.</summary>
    public IEnumerable<string> Values(string name) => Fields.Where(f => f.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(f => f.Value);
}

/// <summary>
/// One attempt at a request as it is recorded, without any secrets. It has either a response, or a failure that says why there is
/// none.
/// </summary>
/// <param name="Date">When the request was sent; recorded to 100 nanoseconds, UTC.</param>
/// <param name="Uri">The target, without parameters that carry credentials.</param>
/// <param name="Protocol"><c>http/1.1</c> or <c>h2</c>, as <c>WARC-Protocol</c> names them.</param>
/// <param name="Failure">The chain of exceptions, outermost first; empty when there is a response.</param>
public sealed partial record HttpExchange(
    DateTimeOffset Date,
    Uri Uri,
    string Protocol,
    HttpBlock Request,
    HttpBlock? Response,
    ImmutableArray<FailureLink> Failure)
{
    /// <summary>The response's <c>Content-Encoding</c> before the body was decoded; null when it had none.</summary>
    public string? OriginalContentEncoding { get; init; }

    /// <summary>
    /// <c>hmac-sha256:&lt;hex&gt;</c> of the response body as received, when members of the stored one were redacted; otherwise
    /// null.
    /// </summary>
    public string? RedactedPayloadDigest { get; init; }

    /// <summary>
    /// <c>sha256:&lt;hex&gt;</c> of the response body as received, when members of the stored one were redacted and the provider
    /// itself publishes this hash; otherwise null, because anybody could test guesses against a hash without a key.
    /// </summary>
    public string? OriginalPayloadDigest { get; init; }

    /// <summary>
    /// <c>sha256:&lt;hex&gt;</c> of the certificates that the server presented, in DER: its own, then its issuers', separated by spaces; several
    /// chains, if connections to it had different ones, by commas. Null without TLS, and in files of versions that did not record it.
    /// </summary>
    public string? ServerCertificates { get; init; }

    /// <summary>
    /// The evidence ID for which the request was made, followed by a blank and the first 16 hexadecimal digits of the SHA-256 of
    /// the parent row's <c>_ref</c> if it was made for one; null outside of evidence. Two evidence items may make the same
    /// request, and a replay gives each its own responses.
    /// </summary>
    public string? AskedFor { get; init; }

    /// <summary>
    /// When the server responded, by its own clock and to the second (<c>Date</c>, RFC 9110, section 6.6.1); the earliest, if there are several
    /// such fields. Null without a response, without a readable field, and for a response from a cache (<c>Age</c>), whose date is that of an
    /// earlier response.
    /// </summary>
    public DateTimeOffset? ServerDate => Ages.All(age => age is "0")
        ? Values("Date").Select(text => HttpDate.TryParse(text, out var date) ? date : (DateTimeOffset?)null).Min()
        : null;

    /// <summary>
    /// How old the response was on arrival because a cache kept it (<c>Age</c>, RFC 9111, section 5.1); the longest, if there are several such
    /// fields. Null without a readable age.
    /// </summary>
    public TimeSpan? Age => Ages.Select(Seconds).Max() is > 0 and var seconds ? TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue)) : null;

    /// <summary>
    /// Whether the response is marked out of date without saying by how much, or was changed on the way: it has any
    /// <c>Warning</c> other than 299 (RFC 7234, section 5.5: 110 to 113 concern age, 199 and 214 changes by a proxy), or a
    /// warning or an age that cannot be read.
    /// </summary>
    public bool IsStale => Warnings.Any(w => w.Code != ServersOwn) || Ages.Any(age => Seconds(age) is null);

    private IEnumerable<string> Ages => Values("Age");

    private IEnumerable<string> Values(string name) => Response?.Values(name) ?? [];

    private static long? Seconds(string age) => long.TryParse(age.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null;

    /// <summary>The server's own warnings (<c>Warning</c> 299), such as that an API is deprecated; they do not mean a stale response.</summary>
    public ImmutableArray<string> ServerWarnings =>
        [.. Warnings.Where(w => w.Code == ServersOwn).Select(w => w.Text).Distinct(StringComparer.Ordinal)];

    private const int ServersOwn = 299;

    /// <summary>The response's warnings; one that cannot be read has the code 0.</summary>
    private IEnumerable<(int Code, string Text)> Warnings
    {
        get
        {
            foreach (var value in Values("Warning"))
            {
                var warnings = Warning().Matches(value);
                foreach (Match warning in warnings)
                {
                    var text = warning.Groups[2].Value.Replace("\\\"", "\"", StringComparison.Ordinal);
                    yield return (int.Parse(warning.Groups[1].Value, CultureInfo.InvariantCulture), text);
                }
                // Text after the last readable warning may be a further warning, of any code, that cannot be read.
                if (warnings.Count == 0 || warnings[^1].Index + warnings[^1].Length < value.Length)
                    yield return (0, value);
            }
        }
    }

    /// <summary>
    /// Matches one of several warnings in a field, each starting where the previous one ended: a code, the agent, the quoted
    /// text, and an optional date.
    /// </summary>
    [GeneratedRegex(@"\G[\s,]*([0-9]{3})\s+[^\s,""]+\s+""((?:[^""\\]|\\.)*)""(?:\s+""[^""]*"")?\s*(?:,[\s,]*|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex Warning();

    /// <summary>Whether both bodies were left out on purpose, because the exchange hands out credentials.</summary>
    public bool BodiesOmitted { get; init; }
}

/// <summary>
/// One exception of the chain that explains why there was no response. SDKs decide about retries by the whole chain, so a replay
/// needs all of it.
/// </summary>
/// <param name="Type">The exception's type name without namespace.</param>
/// <param name="Code">Its error code, or <c>-</c>.</param>
/// <param name="Message">Its message on one line.</param>
public sealed record FailureLink(string Type, string Code, string Message)
{
    private const string Prefix = "exception: ";

    /// <summary>
    /// Formats one line <c>exception: Type Code message</c> per link, outermost first, each with CR LF at its end.
    /// </summary>
    /// <exception cref="ArgumentException">A type or code is empty or has white space.</exception>
    public static string Format(ImmutableArray<FailureLink> chain)
    {
        var text = new StringBuilder();
        foreach (var link in chain)
        {
            if (!IsWord(link.Type) || !IsWord(link.Code))
                throw new ArgumentException($"'{link.Type}' and '{link.Code}' must be single words", nameof(chain));
            text.Append(Prefix).Append(link.Type).Append(' ').Append(link.Code).Append(' ').Append(OneLine(link.Message)).Append("\r\n");
        }
        return text.ToString();
    }

    /// <summary>Parses the output of <see cref="Format"/>.</summary>
    /// <exception cref="InvalidDataException">The text has no lines, or one of another form.</exception>
    public static ImmutableArray<FailureLink> Parse(string text)
    {
        if (!text.EndsWith("\r\n", StringComparison.Ordinal))
            throw new InvalidDataException("a recorded failure does not end with a line end");
        return [.. text[..^2].Split("\r\n").Select(ParseLine)];
    }

    private static FailureLink ParseLine(string line)
    {
        var words = line.StartsWith(Prefix, StringComparison.Ordinal) ? line[Prefix.Length..].Split(' ', 3) : [];
        return words is [{ Length: > 0 } type, { Length: > 0 } code, var message]
            ? new(type, code, message)
            : throw new InvalidDataException($"not a recorded failure: '{line}'");
    }

    private static bool IsWord(string text) => text.Length > 0 && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));

    private static string OneLine(string message) => string.Concat(message.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? ' ' : c));
}
