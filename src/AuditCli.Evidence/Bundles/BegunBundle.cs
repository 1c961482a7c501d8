using System.Collections.Immutable;
using System.Globalization;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// The folder <c>&lt;bundle-id&gt;.begun/</c> beside an unsealed bundle. It says what the bundle is to hold, so that an interrupted run can go
/// on, it has what earlier processes had written, and it is locked by the process that writes the bundle, so that two cannot. It lies beside
/// the bundle and not in it: the bundle gets its final name in one step, with nothing in it to remove before or after.
/// </summary>
public sealed class BegunBundle : IDisposable
{
    /// <summary>The suffix of the folder's name.</summary>
    public const string Suffix = ".begun";
    private const string QuestionsName = "questions.json";
    private const string LockName = "lock";
    private const long LongestQuestions = 64 * 1024 * 1024;

    private readonly string _folder;
    private readonly FileStream _lock;

    private BegunBundle(string folder, FileStream @lock) => (_folder, _lock) = (folder, @lock);

    /// <summary>The folders that were the <c>data</c> of the bundle when earlier processes ended, the newest first.</summary>
    public ImmutableArray<string> Earlier { get; private init; } = [];

    /// <summary>Returns what was kept to go on with an unsealed bundle; null if nothing was.</summary>
    /// <param name="partialFolder">The bundle's folder.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is too large.</exception>
    public static byte[]? Questions(string partialFolder)
    {
        var file = Path.Combine(Beside(partialFolder), QuestionsName);
        if (!Path.Exists(file))
            return null;
        try
        {
            return new DirectoryInfo(Beside(partialFolder)).LinkTarget is not null
                ? throw new IOException($"{Beside(partialFolder)} is a link, and not the folder that the run left")
                : SafeFile.Read(file, LongestQuestions) ?? throw new InvalidDataException($"{file} is too large");
        }
        catch (NotSupportedException e)
        {
            throw new IOException($"{file} is a link, a pipe or a device, and not the file that the run left", e);
        }
    }

    /// <summary>
    /// Returns every folder that holds or held the bundle's <c>data</c>, the newest first. A process may have ended while it took over.
    /// </summary>
    /// <inheritdoc cref="Questions"/>
    public static ImmutableArray<string> Payloads(string partialFolder) =>
        [.. new[] { Path.Combine(partialFolder, BundleLayout.Payload) }.Where(Directory.Exists), .. Numbered(Beside(partialFolder))];

    /// <summary>Creates and locks the folder of a new bundle.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    internal static BegunBundle Open(string root, string bundleId)
    {
        var folder = Path.Combine(root, bundleId + Suffix);
        Directory.CreateDirectory(folder);
        return new(folder, Lock(folder));
    }

    /// <summary>Locks the folder of a bundle that another process began, and moves the bundle's <c>data</c> into it.</summary>
    /// <exception cref="IOException">Another process is writing the bundle, or a folder cannot be moved.</exception>
    internal static BegunBundle TakeOver(string root, string bundleId)
    {
        var folder = Path.Combine(root, bundleId + Suffix);
        var begun = Open(root, bundleId);
        try
        {
            var partial = Path.Combine(root, bundleId + BundleWriter.PartialSuffix);
            var before = Numbered(folder);
            if (Directory.Exists(Path.Combine(partial, BundleLayout.Payload)))
            {
                // One step, so that whatever happens now, everything is in one folder or the other.
                Directory.Move(Path.Combine(partial, BundleLayout.Payload), Path.Combine(folder, Name(before.Length + 1)));
                SafeFile.Synchronise(folder);
            }
            // What else there is was made from the payload, by an attempt to seal it.
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
            return new(folder, begun._lock) { Earlier = Numbered(folder) };
        }
        catch
        {
            begun.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="BundleWriter.Keep"/>
    internal void Keep(ReadOnlySpan<byte> questions)
    {
        var (file, next) = (Path.Combine(_folder, QuestionsName), Path.Combine(_folder, QuestionsName + ".next"));
        using (var written = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            written.Write(questions);
            written.Flush(flushToDisk: true);
        }
        File.Move(next, file, overwrite: true);
        SafeFile.Synchronise(_folder);
    }

    /// <summary>Deletes the folder, because the bundle is sealed. What cannot be deleted does no harm, so that a failure is not one of the seal.</summary>
    internal void End()
    {
        Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Unlocks the folder. Without anything to go on with, it is deleted.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (Directory.Exists(_folder) && !File.Exists(Path.Combine(_folder, QuestionsName)) && Numbered(_folder).IsEmpty)
            Directory.Delete(_folder, recursive: true);
    }

    private static FileStream Lock(string folder)
    {
        try
        {
            return new(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (Directory.Exists(folder))
        {
            throw new IOException($"another process is writing {folder[..^Suffix.Length]}{BundleWriter.PartialSuffix}", e);
        }
    }

    private static string Beside(string partialFolder) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(partialFolder))[..^BundleWriter.PartialSuffix.Length] + Suffix;

    private static string Name(int number) => number.ToString("0000", CultureInfo.InvariantCulture);

    private static ImmutableArray<string> Numbered(string folder) => !Directory.Exists(folder) ? [] :
    [
        .. Directory.EnumerateDirectories(folder)
            .Where(d => Path.GetFileName(d) is { Length: 4 } name && name.All(char.IsAsciiDigit)).OrderDescending(StringComparer.Ordinal),
    ];
}
