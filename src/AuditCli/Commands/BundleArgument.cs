using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Commands;

/// <summary>Explains why the argument BUNDLE of a command does not name a bundle.</summary>
internal static class BundleArgument
{
    private const int Named = 3;
    private const int LongestPath = 500;

    /// <summary>Returns why a path cannot be a bundle's folder, for a command that needs a folder; null if it can be one.</summary>
    /// <param name="path">A full path.</param>
    public static string? WhyNoFolder(string command, string path) =>
        File.Exists(path) ? CommandErrors.NeedsFolder(command, Shown(path)) : WhyNoBundle(path);

    /// <summary>Returns why a path is neither a bundle's folder nor a file, which may be an archive; null if it can be one.</summary>
    /// <param name="path">A full path.</param>
    public static string? WhyNoBundle(string path) =>
        WhyNot(path) ?? (Directory.Exists(path) && !BundleLayout.MayBeBundle(path)
            ? $"{Shown(path)} is not a bundle: it has neither bagit.txt nor data; 'auditcli run' prints the path of its bundle at the end"
            : null);

    /// <summary>
    /// Returns why a path cannot be a bundle, for a command that takes folders and archives; null if it can be one. Rejects a folder that
    /// holds bundles, which is a common slip; a folder with other files is left to verification, which reports it.
    /// </summary>
    /// <param name="path">A full path.</param>
    public static string? WhyNot(string path)
    {
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
            return $"there is no bundle {Shown(path)}{(Inside(Path.GetDirectoryName(path)) is { } beside ? $"; the same folder contains {beside}" : "")}";
        return Directory.Exists(path) && !BundleLayout.MayBeBundle(path) && Inside(path) is { } inside
            ? $"{Shown(path)} is not a bundle but contains bundles; name one of them: {inside}"
            : null;
    }

    /// <summary>Returns the names of the newest bundles in a folder; null if there is none or the folder cannot be read.</summary>
    private static string? Inside(string? folder)
    {
        try
        {
            var bundles = folder is null || !Directory.Exists(folder) ? [] : Directory.EnumerateDirectories(folder)
                .Where(d => !d.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal) && BundleLayout.MayBeBundle(d, sealedOnly: true))
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
