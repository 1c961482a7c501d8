using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls.Loading;

/// <summary>A file of a library of controls.</summary>
/// <param name="Path">The path from the library's root, parts joined by <c>/</c>.</param>
/// <param name="ShownAs">The file's name in messages.</param>
public sealed record LibraryFile(string Path, ReadOnlyMemory<byte> Content, string ShownAs)
{
    /// <summary>Creates a file shown by its path from the library's root, as for the embedded library.</summary>
    public LibraryFile(string path, ReadOnlyMemory<byte> content) : this(path, content, path) { }

    /// <summary>
    /// Reads the files of a folder that may belong to a library, by path. Links are not followed, and an entry that cannot be
    /// read is a fault.
    /// </summary>
    /// <param name="folder">The folder as given; messages show the files below it in the same way.</param>
    public static (ImmutableArray<LibraryFile> Files, ImmutableArray<Diagnostic> Faults) ReadFolder(string folder)
    {
        var faults = new FaultList();
        var files = ImmutableArray.CreateBuilder<LibraryFile>();
        try
        {
            if (!Directory.Exists(folder))
                faults.Meaning(new(folder, 1, 1), "there is no such folder of controls");
            else
                Read(new DirectoryInfo(folder), "", folder, IsNoControl, files, faults);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Meaning(new(folder, 1, 1), $"the folder of controls cannot be read: {e.Message}");
        }
        return ([.. files.OrderBy(f => f.Path, StringComparer.Ordinal)], faults.InOrder());
    }

    /// <summary>Reads the packs of a library's folder, by path; returns none where it has no such folder.</summary>
    public static (ImmutableArray<LibraryFile> Files, ImmutableArray<Diagnostic> Faults) ReadPacks(string folder)
    {
        var (files, faults) = ReadBelow(folder, ControlPack.Folder);
        var packs = files.ToLookup(ControlPack.IsPack);
        return (
            [.. packs[true]],
            [
                .. faults,
                .. packs[false].Select(f => new Diagnostic(
                    f.ShownAs, 1, 1, $"a pack must be {ControlPack.Folder}/<name>.yaml; this is not", DiagnosticKind.Meaning)),
            ]);
    }

    /// <summary>Reads the frameworks of a library's folder, by path; returns none where it has no such folder.</summary>
    public static (ImmutableArray<LibraryFile> Files, ImmutableArray<Diagnostic> Faults) ReadFrameworks(string folder) =>
        ReadBelow(folder, Framework.Folder);

    /// <summary>
    /// Whether a file may be in a library without being a control: README files, schemas, packs, frameworks and dot-files.
    /// </summary>
    public static bool IsNoControl(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.Split('/')[0] is ControlPack.Folder or Framework.Folder || IsUnread(path);
    }

    /// <summary>Whether a file of a library holds nothing for it: README files, schemas and dot-files.</summary>
    private static bool IsUnread(string path)
    {
        var parts = path.Split('/');
        return parts.Any(p => p.StartsWith('.')) || parts[^1] == "README.md"
            || parts[^1].EndsWith(".schema.json", StringComparison.Ordinal);
    }

    /// <summary>Reads a folder of a library that does not hold controls, such as <c>packs</c>.</summary>
    private static (ImmutableArray<LibraryFile> Files, ImmutableArray<Diagnostic> Faults) ReadBelow(string folder, string name)
    {
        var faults = new FaultList();
        var files = ImmutableArray.CreateBuilder<LibraryFile>();
        var shown = System.IO.Path.Combine(folder, name);
        try
        {
            // The walk over the library leaves this folder out, so it does not see that it is a link.
            if (new DirectoryInfo(shown) is { LinkTarget: not null })
                faults.Meaning(new(shown, 1, 1), "links are not followed in a library of controls; put the folder itself here");
            else if (Directory.Exists(shown))
                Read(new DirectoryInfo(shown), name, shown, IsUnread, files, faults);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Meaning(new(shown, 1, 1), $"the folder of {name} cannot be read: {e.Message}");
        }
        return ([.. files.OrderBy(f => f.Path, StringComparer.Ordinal)], faults.InOrder());
    }

    private static void Read(
        DirectoryInfo folder, string path, string shown, Predicate<string> isLeftOut, ImmutableArray<LibraryFile>.Builder files, FaultList faults)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            var below = path.Length == 0 ? entry.Name : $"{path}/{entry.Name}";
            var shownBelow = System.IO.Path.Combine(shown, entry.Name);
            if (isLeftOut(below))
                continue;
            if (entry.LinkTarget is not null)
                faults.Meaning(new(shownBelow, 1, 1), "links are not followed in a library of controls; put the file itself here");
            else if (entry is DirectoryInfo deeper)
                Read(deeper, below, shownBelow, isLeftOut, files, faults);
            else if (entry is FileInfo { Length: > YamlDocument.MaximumBytes } large)
                faults.Form(new(shownBelow, 1, 1), $"the file has {large.Length} bytes; at most {YamlDocument.MaximumBytes} are read");
            else if (RegularFile.WhyNot(entry.FullName) is { } special)
                faults.Meaning(new(shownBelow, 1, 1), $"it {special}");
            else
                files.Add(new(below, RegularFile.ReadAllBytes(entry.FullName), shownBelow));
        }
    }
}
