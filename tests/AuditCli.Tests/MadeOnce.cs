using System.Collections.Immutable;

namespace AuditCli.Tests;

/// <summary>
/// A folder whose content is made once for all classes that need it. Each gets a copy of its own, so that none sees what another changed.
/// </summary>
/// <param name="make">Fills an empty folder; what it returns must not name the folder.</param>
internal sealed class MadeOnce<T>(Func<string, Task<T>> make)
{
    private readonly Lazy<Task<(T Made, ImmutableArray<Entry> Entries)>> _content = new(() => ReadAsync(make));

    /// <summary>Copies the content into an empty folder.</summary>
    public async Task<T> CopyToAsync(string folder)
    {
        var (made, entries) = await _content.Value;
        foreach (var entry in entries)
        {
            var path = Path.Combine(folder, entry.Path);
            if (entry.Content is { } content)
                await File.WriteAllBytesAsync(path, content);
            else
                Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, entry.Mode);
        }
        return made;
    }

    private static async Task<(T Made, ImmutableArray<Entry> Entries)> ReadAsync(Func<string, Task<T>> make)
    {
        using var folder = new TemporaryFolder();
        var made = await make(folder.Path);
        // In the order of their paths, a folder comes before what is in it.
        return (made,
        [
            .. Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(e => new Entry(
                Path.GetRelativePath(folder.Path, e),
                File.Exists(e) ? File.ReadAllBytes(e) : null,
                OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(e))),
        ]);
    }

    /// <param name="Content">The bytes of a file; null for a folder.</param>
    private sealed record Entry(string Path, byte[]? Content, UnixFileMode Mode);
}
