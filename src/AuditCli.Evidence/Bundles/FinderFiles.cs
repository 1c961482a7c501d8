namespace AuditCli.Evidence.Bundles;

/// <summary>Recognises the files that macOS's Finder leaves in folders that it shows and in archives that it creates.</summary>
internal static class FinderFiles
{
    private const string Folder = "__MACOSX";
    private const string Settings = ".DS_Store";
    private const string Double = "._";

    /// <summary>Their names as they appear in messages.</summary>
    public const string Names = "__MACOSX, .DS_Store or ._*";

    /// <summary>Whether a path, from the root of a folder or archive, is such a file.</summary>
    public static bool Is(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return path.StartsWith(Folder + "/", StringComparison.Ordinal) || name == Settings || name.StartsWith(Double, StringComparison.Ordinal);
    }
}
