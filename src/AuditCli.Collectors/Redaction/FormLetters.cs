using System.Buffers;

namespace AuditCli.Collectors.Redaction;

/// <summary>The character sets of credential forms. All are ASCII, so that a text looks the same in every decoding.</summary>
internal static class FormLetters
{
    public const string Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    public const string Lower = "abcdefghijklmnopqrstuvwxyz";
    public const string Digits = "0123456789";

    public static SearchValues<char> Alphanumeric { get; } = SearchValues.Create(Upper + Lower + Digits);
    public static SearchValues<char> Url { get; } = SearchValues.Create(Upper + Lower + Digits + "_-");
    public static SearchValues<char> Base64 { get; } = SearchValues.Create(Upper + Lower + Digits + "+/=");
    public static SearchValues<char> Name { get; } = SearchValues.Create(Upper + Lower + Digits + "_-.");

    /// <summary>Returns the number of characters from a place on that are in the set, up to a limit.</summary>
    public static int Run(ReadOnlySpan<char> text, int at, SearchValues<char> of, int most)
    {
        var rest = text.Slice(at, Math.Min(most, text.Length - at));
        return rest.IndexOfAnyExcept(of) is >= 0 and var end ? end : rest.Length;
    }

    /// <summary>Returns the number of characters before a place that are in the set, up to a limit.</summary>
    public static int RunBefore(ReadOnlySpan<char> text, int at, SearchValues<char> of, int most)
    {
        var first = Math.Max(0, at - most);
        return at - first - 1 - text[first..at].LastIndexOfAnyExcept(of);
    }
}
