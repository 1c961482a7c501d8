namespace AuditCli.Evidence.Bundles;

/// <summary>Reads single files of a bundle that nobody has to trust: no link is followed, and nothing waits on a pipe.</summary>
public static class BundleFile
{
    /// <summary>256 MiB, as for manifests.</summary>
    public const long DefaultLimit = 256 * 1024 * 1024;

    /// <summary>The content of a regular file.</summary>
    /// <param name="relative">From the bundle's root, as the program itself names it, never as the bundle does.</param>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="InvalidDataException">It is no regular file, or larger than the limit; the message names it.</exception>
    /// <exception cref="IOException">It is not there, or cannot be read.</exception>
    public static byte[] Read(string bundle, string relative, long limit = DefaultLimit) => Named(relative, () =>
        SafeFile.Read(Path.Combine(bundle, relative), limit) ?? throw new InvalidDataException($"{relative} is larger than {limit} bytes"));

    /// <summary>The digest of a regular file, however large it is.</summary>
    /// <param name="relative">As <see cref="Read"/>.</param>
    /// <exception cref="InvalidDataException">It is no regular file; the message names it.</exception>
    /// <exception cref="IOException">It is not there, or cannot be read.</exception>
    public static Digest Hash(string bundle, string relative) =>
        Named(relative, () => SafeFile.Hash(Path.Combine(bundle, relative), CancellationToken.None).Digest);

    /// <summary>Opens a regular file for reading from its beginning, however large it is.</summary>
    /// <inheritdoc cref="Hash"/>
    public static FileStream Open(string bundle, string relative) => Named(relative, () =>
    {
        var path = Path.Combine(bundle, relative);
        var handle = SafeFile.OpenRead(path);
        try
        {
            // Asking for the size tells folders, pipes and devices from files.
            SafeFile.Size(handle, path);
            return new FileStream(handle, FileAccess.Read, bufferSize: 0);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    });

    private static T Named<T>(string relative, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"{relative} is not a regular file", e);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException($"{relative} is not in the bundle", e);
        }
    }
}
