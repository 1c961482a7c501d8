namespace AuditCli.Evidence.Text;

/// <summary>
/// Paths in the user's home folder. A home that does not exist stays the home: without that the system gives an empty path, which means the
/// working folder, where anybody's files may lie.
/// </summary>
public static class HomePath
{
    /// <summary>The full path of the home folder, whether it exists or not.</summary>
    public static string Folder => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);

    /// <summary>Returns the path with a leading <c>~/</c> replaced by the home folder; any other path as it is.</summary>
    public static string Expanded(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Folder, path[2..]) : path;
    }
}
