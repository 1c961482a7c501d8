namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Where a bundle's files are: in a folder, or in an archive that is read as it lies there. Paths are from the bundle's root. May be
/// read from several threads at once.
/// </summary>
internal abstract class BundleFiles : IDisposable
{
    /// <summary>What the bundle's root is called where it lies.</summary>
    public abstract string Name { get; }

    /// <summary>What there is.</summary>
    /// <param name="limit">How many entries are looked at.</param>
    public abstract BundleTree Tree(int limit, CancellationToken cancellationToken);

    /// <summary>The digest and size of a regular file.</summary>
    /// <exception cref="FileNotFoundException">There is nothing.</exception>
    /// <exception cref="NotSupportedException">It is a link, a pipe, a socket or a device.</exception>
    /// <exception cref="UnsafeContainerException">The archive says something else of it than it holds.</exception>
    /// <exception cref="ChangedFileException">It grew or shrank meanwhile.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public abstract (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken);

    /// <summary>The content of a regular file; null when it is larger than the limit.</summary>
    /// <inheritdoc cref="Hash" path="/exception"/>
    public abstract byte[]? Read(string path, long limit);

    /// <summary>Whether it is known to be a pipe or the like. A file that cannot be opened is not known to be one.</summary>
    public abstract bool IsSpecial(string path);

    public abstract void Dispose();

    /// <summary>What was read, or what is wrong, in the report's words.</summary>
    public static (T? Value, VerifyProblem? Problem) Try<T>(string question, string file, Func<T?> read)
    {
        try
        {
            return (read(), null);
        }
        catch (NotSupportedException)
        {
            return (default, new(question, "SPECIAL_FILE", file, "is not a regular file", VerifyAnswer.Fails));
        }
        catch (UnsafeContainerException e)
        {
            return (default, new(question, e.Fault.Code, e.Fault.Path, e.Fault.Message, VerifyAnswer.Fails));
        }
        catch (FileNotFoundException)
        {
            return (default, new(question, "MISSING_FILE", file, "went away during verification", VerifyAnswer.Fails));
        }
        catch (ChangedFileException e)
        {
            return (default, new(question, "CONTENT_MODIFIED", file, e.Message, VerifyAnswer.Fails));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (default, new(question, "UNREADABLE", file, e.Message, VerifyAnswer.Undecided));
        }
    }
}

/// <summary>A file that had another size when it was read than when it was opened.</summary>
internal sealed class ChangedFileException(string message) : IOException(message);

/// <summary>A bundle in a folder. No link is followed, and nothing waits on a pipe.</summary>
internal sealed class BundleFolder(string root) : BundleFiles
{
    public override string Name => Path.GetFileName(root);

    public override BundleTree Tree(int limit, CancellationToken cancellationToken) => BundleTree.Walk(root, limit, cancellationToken);

    public override (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken) => SafeFile.Hash(At(path), cancellationToken);

    public override byte[]? Read(string path, long limit) => SafeFile.Read(At(path), limit);

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
