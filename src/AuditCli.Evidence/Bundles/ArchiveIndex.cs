namespace AuditCli.Evidence.Bundles;

/// <summary>
/// An archive that two readers could read differently, or that would write outside the folder into which it is unpacked.
/// </summary>
internal sealed class UnsafeContainerException(string code, string path, string message) : Exception(message)
{
    public UnsafeContainerException(string path, string message)
        : this(ArchiveIndex.Unsafe, path, message)
    {
    }

    public ManifestFault Fault { get; } = new(code, path, message);
}

/// <summary>The position and size of a file in an archive.</summary>
/// <param name="Offset">The position of its stored bytes.</param>
/// <param name="Stored">The number of stored bytes.</param>
/// <param name="Size">The size of the file in bytes.</param>
/// <param name="Crc">CRC-32 of the file; null in a tar, which has no checksum of content.</param>
/// <param name="Deflated">Whether it is compressed (RFC 1951).</param>
internal readonly record struct ArchiveMember(long Offset, long Stored, long Size, uint? Crc, bool Deflated);

/// <summary>Collects the files and folders that an archive names, and the faults of its names.</summary>
internal sealed class ArchiveIndex(int limit)
{
    public const string Unsafe = VerifyCode.ContainerUnsafe;

    /// <summary>The longest allowed name, in bytes.</summary>
    public const int MaxName = 1024;
    private const int MaxFaults = 1000;
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private readonly HashSet<string> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _caseless = new(StringComparer.OrdinalIgnoreCase);

    public Dictionary<string, ArchiveMember> Files { get; } = new(StringComparer.Ordinal);

    public List<ManifestFault> Faults { get; } = [];

    /// <summary>
    /// The one folder that contains everything, with a trailing slash, as RFC 8493 (section 4) requires; empty when the bundle's
    /// own files are at the archive's root.
    /// </summary>
    public string TopFolder
    {
        get
        {
            var tops = _caseless.Values.Where(n => !n.Contains('/', StringComparison.Ordinal)).Take(2).ToArray();
            return tops is [var only] && _folders.Contains(only) ? only + "/" : "";
        }
    }

    /// <summary>Throws when there are more entries than the limit, before they are read.</summary>
    public void Count(long entries)
    {
        if (entries > limit)
            throw new UnsafeContainerException(VerifyCode.LimitExceeded, ".", $"the archive has more than {limit} entries");
    }

    /// <summary>Records a fault of one entry; the other entries are still checked.</summary>
    public void Fault(string name, string message, string code = Unsafe)
    {
        if (Faults.Count < MaxFaults)
            Faults.Add(new(code, name, message));
    }

    /// <summary>Adds an entry.</summary>
    /// <param name="name">One character per byte (Latin-1); a folder may end with a slash.</param>
    /// <param name="member">Null for a folder.</param>
    public void Add(string name, ArchiveMember? member)
    {
        var path = member is null ? name.TrimEnd('/') : name;
        if (WhyUnsafe(path) is { } why)
        {
            Fault(name.Length == 0 ? "." : name, why);
            return;
        }
        if (!_named.Add(path))
        {
            Fault(path, "is there twice");
            return;
        }
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (!AddFolder(path[..slash], path))
                return;
        }
        if (member is not { } file)
            AddFolder(path, path);
        else if (_folders.Contains(path))
            Fault(path, "is a file and a folder");
        else if (IsOnlyCase(path, path))
            Files.Add(path, file);
    }

    /// <summary>
    /// Records one fault for two common cases that would otherwise give a fault for every file: files that macOS adds to an
    /// archive, and a bundle that is not at the archive's top.
    /// </summary>
    public void NameWhatIsUsual()
    {
        var added = Files.Keys.Where(FinderFiles.Is).Order(StringComparer.Ordinal).ToArray();
        if (added.Length > 0)
        {
            var were = added.Length == 1 ? "1 file of the archive" : $"{added.Length} files of the archive";
            Faults.Insert(0, new(VerifyCode.UnexpectedFile, added[0],
                $"{were} ({FinderFiles.Names}) {(added.Length == 1 ? "was" : "were")} added by macOS's Finder, so this is not what was sealed; "
                + "make it with 'zip -r -X FILE.zip BUNDLE', or unpack it, delete these files and verify the bundle's folder"));
            return;
        }
        var top = TopFolder;
        var own = new[] { BundleLayout.BagIt, BundleLayout.TagManifest, BundleLayout.Manifest };
        if (Faults.Count > 0 || own.Any(name => Files.ContainsKey(top + name)))
            return;
        var inside = Files.Keys.Where(f => f.EndsWith("/" + BundleLayout.TagManifest, StringComparison.Ordinal))
            .Select(f => f[..^(BundleLayout.TagManifest.Length + 1)]).Order(StringComparer.Ordinal).ToArray();
        if (inside.Length > 0)
        {
            Fault(
                inside[0],
                inside.Length == 1
                    ? "the bundle is in this folder of the archive, not at its top; make the archive of the bundle's own folder, "
                        + "or unpack it and verify that folder"
                    : $"is one of {inside.Length} bundles in the archive; unpack it and verify each one's folder",
                VerifyCode.TypeUnsupported);
        }
    }

    /// <summary>Returns the files and empty folders, with paths from the bundle's root.</summary>
    public BundleTree Tree()
    {
        var top = TopFolder;
        var tree = new BundleTree(new(Files.Count, StringComparer.Ordinal), [], [], [], TooMany: false);
        var parents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in Files.Keys)
            tree.Files.Add(path[top.Length..]);
        foreach (var path in _named)
        {
            for (var slash = path.LastIndexOf('/'); slash > 0 && parents.Add(path[..slash]);)
                slash = path.LastIndexOf('/', slash - 1);
        }
        tree.EmptyFolders.AddRange(_folders.Where(f => !parents.Contains(f))
            .Select(f => f[Math.Min(top.Length, f.Length)..])
            .Where(f => f.Length > 0)
            .Order(StringComparer.Ordinal));
        return tree;
    }

    private bool AddFolder(string folder, string path)
    {
        if (Files.ContainsKey(folder))
        {
            Fault(folder, "is a file and a folder");
            return false;
        }
        return _folders.Contains(folder) || (IsOnlyCase(folder, path) && _folders.Add(folder));
    }

    /// <summary>
    /// Whether no other name differs only by case; on a file system that ignores case, one of two such files would replace the
    /// other.
    /// </summary>
    private bool IsOnlyCase(string path, string entry)
    {
        if (_caseless.TryAdd(path, path) || _caseless[path] == path)
            return true;
        Fault(entry, $"differs from '{_caseless[path]}' by case only");
        return false;
    }

    private static string? WhyUnsafe(string path)
    {
        if (path.Length == 0)
            return "an entry has no name";
        if (path.Length > MaxName)
            return $"the name is longer than {MaxName} bytes";
        if (path.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return "the name has characters other than printable ASCII, which readers decode differently";
        if (path.Contains('\\', StringComparison.Ordinal))
            return "a backslash separates folders on Windows";
        if (path[0] is '/' or '~' || (path.Length > 1 && path[1] == ':'))
            return "the name is absolute: it begins with / or ~ or with a drive";
        return path.Split('/').Any(s => s is "" or "." or "..") ? "a segment of the name is empty, '.' or '..'" : null;
    }
}
