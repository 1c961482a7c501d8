namespace AuditCli.Hosting;

/// <summary>A new temporary folder for files that a command needs while it works, deleted with its content on disposal.</summary>
internal sealed class WorkFolder : IDisposable
{
    public string Path { get; } = Make();

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>Creates the folder.</summary>
    /// <exception cref="IOException">It cannot be created; the message names its parent.</exception>
    private static string Make()
    {
        try
        {
            return Directory.CreateTempSubdirectory("auditcli-").FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"the temporary folder {System.IO.Path.GetTempPath()} cannot be used: {e.Message}; "
                + "set TMPDIR to a folder that you can write to",
                e);
        }
    }
}
