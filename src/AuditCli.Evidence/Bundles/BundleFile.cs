namespace AuditCli.Evidence.Bundles;

/// <summary>Reads single files of a bundle that nobody has to trust.</summary>
public static class BundleFile
{
    /// <summary>256 MiB, as for manifests.</summary>
    public const long DefaultLimit = 256 * 1024 * 1024;

    /// <summary>The content of a regular file; no link is followed, and nothing waits on a pipe.</summary>
    /// <param name="relative">From the bundle's root, as the program itself names it, never as the bundle does.</param>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="InvalidDataException">It is no regular file, or larger than the limit; the message names it.</exception>
    /// <exception cref="IOException">It is not there, or cannot be read.</exception>
    public static byte[] Read(string bundle, string relative, long limit = DefaultLimit)
    {
        try
        {
            return SafeFile.Read(Path.Combine(bundle, relative), limit)
                ?? throw new InvalidDataException($"{relative} is larger than {limit} bytes");
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
