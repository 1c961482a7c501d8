using System.Collections.Immutable;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Says which paths a bundle may have: segments of <c>[a-z0-9][a-z0-9._-]*</c> joined by slashes, safe on every file system.
/// No segment ends with a point or has a name that Windows reserves for devices.
/// </summary>
public static class BundlePaths
{
    internal const int MaxLength = 200;

    private static readonly ImmutableHashSet<string> DeviceNames =
    [
        "con", "prn", "aux", "nul", .. Enumerable.Range(0, 10).SelectMany(n => new[] { $"com{n}", $"lpt{n}" }),
    ];

    /// <summary>Turns an identifier into a path segment by lower-casing it.</summary>
    /// <exception cref="ArgumentException">It cannot be a segment; the message says why.</exception>
    public static string Segment(string id)
    {
        var segment = id.ToLowerInvariant();
        return WhyNotSegment(segment) is { } why ? throw new ArgumentException($"'{id}' cannot name a file in a bundle: {why}", nameof(id)) : segment;
    }

    /// <summary>Returns null for a path that a bundle may have below its root, else what is wrong with it.</summary>
    internal static string? WhyNotPath(string path)
    {
        if (path.Length > MaxLength)
            return $"it is longer than {MaxLength} characters";
        for (var rest = path.AsSpan(); ;)
        {
            var slash = rest.IndexOf('/');
            if (WhyNotSegment(slash < 0 ? rest : rest[..slash]) is { } why)
                return why;
            if (slash < 0)
                return null;
            rest = rest[(slash + 1)..];
        }
    }

    private static string? WhyNotSegment(ReadOnlySpan<char> segment)
    {
        if (segment.Length == 0)
            return "a segment is empty";
        if (!char.IsAsciiLetterLower(segment[0]) && !char.IsAsciiDigit(segment[0]))
            return $"'{segment}' does not begin with a lower-case letter or a digit";
        foreach (var c in segment)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('.' or '_' or '-'))
                return $"'{segment}' has other characters than a-z, 0-9, '.', '_' and '-'";
        }
        if (segment[^1] == '.')
            return $"'{segment}' ends with a point";
        return IsDevice(segment) ? $"'{segment}' is the name of a device on Windows" : null;
    }

    internal static bool IsDevice(ReadOnlySpan<char> segment)
    {
        var point = segment.IndexOf('.');
        var name = point < 0 ? segment : segment[..point];
        return name.Length is 3 or 4 && DeviceNames.Contains(name.ToString().ToLowerInvariant());
    }
}
