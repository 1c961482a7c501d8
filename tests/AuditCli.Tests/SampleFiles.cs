namespace AuditCli.Tests;

/// <summary>The shipped sample, for tests that change it.</summary>
internal static class SampleFiles
{
    /// <summary>Copies the sample into a folder and removes the library from its engagement, so that the built-in one is used.</summary>
    /// <returns>The path of the copied engagement.</returns>
    public static string CopyTo(string folder)
    {
        foreach (var file in Directory.GetFiles(Repository.Path("samples"), "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(Repository.Path("samples"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
        var engagement = Path.Combine(folder, "engagement.yaml");
        File.WriteAllText(engagement, File.ReadAllText(engagement).Replace("library: ../controls\n", "", StringComparison.Ordinal));
        return engagement;
    }
}
