namespace AuditCli.Evidence.Bundles;

/// <summary>Reads single files of an untrusted bundle: it does not follow links and does not block on a pipe.</summary>
public static class BundleFile
{
    /// <summary>256 MiB, the same as for manifests.</summary>
    public const long DefaultLimit = 256 * 1024 * 1024;

    /// <summary>Reads the content of a regular file.</summary>
    /// <param name="relative">
    /// The path from the bundle's root. It must come from the program itself, never from the bundle's content.
    /// </param>
    /// <param name="limit">The largest allowed size in bytes.</param>
    /// <exception cref="InvalidDataException">
    /// It is not a regular file, or larger than the limit; the message names it.
    /// </exception>
    /// <exception cref="IOException">It does not exist, or cannot be read.</exception>
    public static byte[] Read(string bundle, string relative, long limit = DefaultLimit) => Named(relative, () =>
        SafeFile.Read(Path.Combine(bundle, relative), limit) ?? throw new InvalidDataException($"{relative} is larger than {limit} bytes"));

    /// <summary>Computes the digest of a regular file of any size.</summary>
    /// <param name="relative">See <see cref="Read"/>.</param>
    /// <exception cref="InvalidDataException">It is not a regular file; the message names it.</exception>
    /// <exception cref="IOException">It does not exist, or cannot be read.</exception>
    public static Digest Hash(string bundle, string relative) =>
        Named(relative, () => SafeFile.Hash(Path.Combine(bundle, relative), CancellationToken.None).Digest);

    /// <summary>Opens a regular file of any size for reading from its beginning.</summary>
    /// <inheritdoc cref="Hash"/>
    public static FileStream Open(string bundle, string relative) => Named(relative, () =>
    {
        var path = Path.Combine(bundle, relative);
        var handle = SafeFile.OpenRead(path);
        try
        {
            // Reading the size throws for folders, pipes and devices.
            SafeFile.Size(handle, path);
            return new FileStream(handle, FileAccess.Read, bufferSize: 0);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    });

    /// <summary>Reads a file of a bundle, and turns what is wrong with it into a message that names it.</summary>
    internal static T Named<T>(string relative, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"{relative} is not a regular file", e);
        }
        catch (UnsafeContainerException e)
        {
            throw new InvalidDataException($"{relative} {e.Message}", e);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException($"{relative} is not in the bundle", e);
        }
    }
}
