using System.Buffers;

namespace AuditCli.Collectors.Redaction;

/// <summary>Determines the secret part of a value whose remaining part is needed by tests.</summary>
internal static class SecretParts
{
    private const int LeastArgument = 16;
    private static readonly SearchValues<char> Other = SearchValues.Create(" \t\r\n/.:,@=");

    /// <summary>Returns the part of a URL after its host; the whole text if it is not a URL.</summary>
    public static TextPart BehindHost(string url)
    {
        if (url.Contains(BodyRedaction.Prefix, StringComparison.Ordinal) || !Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.UserInfo.Length > 0)
            return url.Contains(BodyRedaction.Prefix, StringComparison.Ordinal) ? TextPart.None : new(0, url.Length);
        var host = url.IndexOf("://", StringComparison.Ordinal) + 3;
        var path = url.AsSpan(host).IndexOfAny('/', '?', '#');
        return path < 0 || host + path + 1 >= url.Length ? TextPart.None : new(host + path + 1, url.Length - host - path - 1);
    }

    /// <summary>Returns an argument of a command, or the value of its option, if it does not look like a word, path or number.</summary>
    public static TextPart OfArgument(string argument)
    {
        var start = argument.StartsWith('-') ? argument.IndexOf('=', StringComparison.Ordinal) + 1 : 0;
        if (start == 0 && argument.StartsWith('-'))
            return TextPart.None;
        var value = argument.AsSpan(start);
        return value.Length >= LeastArgument && !value.ContainsAny(Other) && SecretNames.LooksMade(value) && !IsDigest(value)
            ? new(start, value.Length)
            : TextPart.None;
    }

    private static bool IsDigest(ReadOnlySpan<char> value) =>
        value.StartsWith("sha256", StringComparison.Ordinal) || value.StartsWith(BodyRedaction.Prefix, StringComparison.Ordinal);
}
