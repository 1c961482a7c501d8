namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Gives access to a bundle's files in a folder, or in an archive that is read in place. Paths are from the bundle's root. It may
/// be read from several threads at once.
/// </summary>
internal abstract class BundleFiles : IDisposable
{
    /// <summary>The name of the bundle's root folder.</summary>
    public abstract string Name { get; }

    /// <summary>Lists the bundle's entries.</summary>
    /// <param name="limit">The largest number of entries that are read.</param>
    public abstract BundleTree Tree(int limit, CancellationToken cancellationToken);

    /// <summary>Computes the digest and size of a regular file.</summary>
    /// <exception cref="FileNotFoundException">It does not exist.</exception>
    /// <exception cref="NotSupportedException">It is a link, a pipe, a socket or a device.</exception>
    /// <exception cref="UnsafeContainerException">The content does not match the archive's description of it.</exception>
    /// <exception cref="ChangedFileException">It grew or shrank while it was read.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public abstract (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken);

    /// <summary>Reads the content of a regular file; returns null when it is larger than the limit.</summary>
    /// <inheritdoc cref="Hash" path="/exception"/>
    public abstract byte[]? Read(string path, long limit);

    /// <summary>Opens a regular file to be read once and forwards.</summary>
    /// <inheritdoc cref="Hash" path="/exception"/>
    public abstract Stream Open(string path);

    /// <summary>Whether the file is known to be a pipe or another special file; false when it cannot be opened.</summary>
    public abstract bool IsSpecial(string path);

    public abstract void Dispose();

    /// <summary>Calls the function and returns its result, or its exception as a problem of the report.</summary>
    public static (T? Value, VerifyProblem? Problem) Try<T>(string question, string file, Func<T?> read)
    {
        try
        {
            return (read(), null);
        }
        catch (NotSupportedException)
        {
            return (default, new(question, VerifyCode.SpecialFile, file, "is not a regular file", VerifyAnswer.Fails));
        }
        catch (UnsafeContainerException e)
        {
            return (default, new(question, e.Fault.Code, e.Fault.Path, e.Fault.Message, VerifyAnswer.Fails));
        }
        catch (FileNotFoundException)
        {
            return (default, new(question, VerifyCode.MissingFile, file, "disappeared during verification", VerifyAnswer.Fails));
        }
        catch (ChangedFileException e)
        {
            return (default, new(question, VerifyCode.ContentModified, file, e.Message, VerifyAnswer.Fails));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (default, new(question, VerifyCode.Unreadable, file, e.Message, VerifyAnswer.Undecided));
        }
    }
}

/// <summary>A file's size when it was read differs from its size when it was opened.</summary>
internal sealed class ChangedFileException(string message) : IOException(message);

/// <summary>Reads a bundle in a folder. It does not follow links and does not block on a pipe.</summary>
internal sealed class BundleFolder(string root) : BundleFiles
{
    public override string Name => Path.GetFileName(root);

    public override BundleTree Tree(int limit, CancellationToken cancellationToken) => BundleTree.Walk(root, limit, cancellationToken);

    public override (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken) => SafeFile.Hash(At(path), cancellationToken);

    public override byte[]? Read(string path, long limit) => SafeFile.Read(At(path), limit);

    public override Stream Open(string path)
    {
        var handle = SafeFile.OpenRead(At(path));
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
    }

    public override bool IsSpecial(string path)
    {
        try
        {
            _ = SafeFile.Read(At(path), limit: 0);
            return false;
        }
        catch (NotSupportedException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public override void Dispose()
    {
    }

    private string At(string path) => Path.Combine(root, path);
}
