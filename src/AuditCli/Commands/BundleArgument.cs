using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Commands;

/// <summary>The argument BUNDLE of every command that takes one: what to say when no bundle is there.</summary>
internal static class BundleArgument
{
    private const int Named = 3;
    private const int LongestPath = 500;

    /// <summary>Of a command that works on a bundle's folder; null where one may be there.</summary>
    /// <param name="path">Full path.</param>
    public static string? WhyNoFolder(string command, string path) =>
        File.Exists(path) ? CommandErrors.NeedsFolder(command, Shown(path))
        : WhyNot(path) ?? (Directory.Exists(path) && !BundlePaths.MayBeBundle(path)
            ? $"{Shown(path)} is no bundle: it has neither bagit.txt nor data; 'auditcli run' ends with the path of the bundle that it made"
            : null);

    /// <summary>
    /// Of a command that takes folders and archives. A folder with other files is for verification to judge; one that holds bundles is a
    /// slip.
    /// </summary>
    /// <param name="path">Full path.</param>
    public static string? WhyNot(string path)
    {
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
            return $"there is no bundle {Shown(path)}{(Inside(Path.GetDirectoryName(path)) is { } beside ? $"; beside it there is {beside}" : "")}";
        return Directory.Exists(path) && !BundlePaths.MayBeBundle(path) && Inside(path) is { } inside
            ? $"{Shown(path)} is no bundle, but holds some; name one of them: {inside}"
            : null;
    }

    /// <summary>The newest bundles of a folder, by name; null where there is none or the folder cannot be read.</summary>
    private static string? Inside(string? folder)
    {
        try
        {
            var bundles = folder is null || !Directory.Exists(folder) ? [] : Directory.EnumerateDirectories(folder)
                .Where(d => !d.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal) && BundlePaths.MayBeBundle(d, sealedOnly: true))
                .OrderByDescending(Directory.GetLastWriteTimeUtc).ThenBy(d => d, StringComparer.Ordinal).Select(Shown).ToArray();
            return bundles.Length == 0 ? null
                : string.Join(", ", bundles.Take(Named)) + (bundles.Length > Named ? $" and {bundles.Length - Named} more" : "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Shown(string path) => PrintableText.Of(path, LongestPath);
}
