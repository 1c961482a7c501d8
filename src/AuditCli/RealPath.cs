namespace AuditCli;

/// <summary>Where a path leads once every link on the way is followed.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;

    /// <summary>The path without links; as far as it can be followed where something on the way is not there.</summary>
    /// <param name="path">Full path.</param>
    /// <exception cref="IOException">There are too many links, as where they lead in a circle.</exception>
    public static string Of(string path) => Of(path, MostLinks);

    /// <summary>Whether two such paths name one thing; case counts where file systems tell it.</summary>
    public static bool Same(string left, string right) =>
        string.Equals(left, right, OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

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
                : throw new IOException($"{path}: more than {MostLinks} links lead on from it");
        }
        return at;
    }
}
