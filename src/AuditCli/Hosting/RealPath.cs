namespace AuditCli.Hosting;

/// <summary>Resolves all symbolic links of a path.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;

    /// <summary>Returns the path without links. If a part of it does not exist, the rest is kept as it is.</summary>
    /// <param name="path">A full path.</param>
    /// <exception cref="IOException">There are more than 40 links, for example because they form a cycle.</exception>
    public static string Of(string path) => Of(path, MostLinks);

    /// <summary>Whether two such paths are equal, by the usual case sensitivity of the platform's file systems.</summary>
    public static bool Same(string left, string right) =>
        string.Equals(left, right, OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    /// <summary>Yields the path without links, and every folder above it, the nearest first.</summary>
    /// <inheritdoc cref="Of(string)"/>
    public static IEnumerable<string> AndAbove(string path)
    {
        for (var at = Of(path); at is not null; at = Path.GetDirectoryName(at))
            yield return at;
    }

    private static string Of(string path, int links)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var at = Path.GetPathRoot(full)!;
        foreach (var part in full[at.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            at = Path.Combine(at, part);
            if (new FileInfo(at).LinkTarget is not { } link)
                continue;
            at = links > 0
                ? Of(Path.GetFullPath(link, Path.GetDirectoryName(at)!), --links)
                : throw new IOException($"{path}: more than {MostLinks} links follow one another; give the path without links");
        }
        return at;
    }
}
