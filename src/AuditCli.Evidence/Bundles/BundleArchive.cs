using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads a bundle in a <c>.zip</c> or <c>.tar</c> file without unpacking it. It accepts only archives that every reader reads in
/// the same way: anything other than files in folders, or anything that could be read in two ways, is refused. Memory grows with
/// the number of entries, not with their content.
/// </summary>
internal sealed class BundleArchive : BundleFiles
{
    private const int BufferSize = 128 * 1024;
    private readonly FileBytes _bytes;
    private readonly ArchiveIndex _index;
    private readonly string _prefix;
    private readonly IDisposable? _owner;

    private BundleArchive(FileBytes bytes, ArchiveIndex index, IDisposable? owner) =>
        (_bytes, _index, _prefix, _owner) = (bytes, index, index.TopFolder, owner);

    public override string Name => _prefix.TrimEnd('/');

    /// <summary>The size of the archive's file.</summary>
    public long Length => _bytes.Length;

    /// <summary>Returns the exception for an archive that is not safe to read.</summary>
    public static InvalidDataException Unsafe(string archive, ManifestFault fault) =>
        new($"{archive} cannot be read: {(fault.Path == "." ? "the archive" : fault.Path)} {fault.Message}");

    /// <summary>Reads the list of entries; returns null, and why, when it is not safe to continue.</summary>
    /// <param name="limit">The largest allowed number of entries.</param>
    /// <exception cref="NotSupportedException">It is a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static (BundleArchive? Archive, IReadOnlyList<ManifestFault> Faults) Open(string path, int limit, CancellationToken cancellationToken)
    {
        var (bytes, owner) = FileBytes.Open(path);
        return Open(bytes, path, limit, owner, cancellationToken);
    }

    /// <summary>Reads the list of entries of an archive that is open.</summary>
    /// <param name="owner">Disposed of with the archive, and where there is none; null if the bytes have another owner.</param>
    /// <inheritdoc cref="Open(string, int, CancellationToken)"/>
    public static (BundleArchive? Archive, IReadOnlyList<ManifestFault> Faults) Open(
        FileBytes bytes, string path, int limit, IDisposable? owner, CancellationToken cancellationToken)
    {
        try
        {
            var (index, faults) = Read(bytes, path, limit, cancellationToken);
            if (faults.Count == 0)
                return (new(bytes, index, owner), []);
            owner?.Dispose();
            return (null, faults);
        }
        catch
        {
            owner?.Dispose();
            throw;
        }
    }

    private static (ArchiveIndex Index, IReadOnlyList<ManifestFault> Faults) Read(
        FileBytes bytes, string path, int limit, CancellationToken cancellationToken)
    {
        var index = new ArchiveIndex(limit);
        try
        {
            switch (KindOf(bytes, path))
            {
                case Kind.Zip:
                    ZipEntries.Read(bytes, index, cancellationToken);
                    break;
                case Kind.Tar:
                    TarEntries.Read(bytes, index, cancellationToken);
                    break;
                case Kind.Gzip:
                    throw new UnsafeContainerException(
                        VerifyCode.TypeUnsupported, ".",
                        "is compressed as a whole; decompress it first ('gunzip --keep') and verify the .tar");
                default:
                    throw new UnsafeContainerException(VerifyCode.TypeUnsupported, ".", "a bundle is a folder, a .zip or a .tar");
            }
        }
        catch (UnsafeContainerException e)
        {
            index.Faults.Add(e.Fault);
        }
        index.NameWhatIsUsual();
        return (index, index.Faults);
    }

    private static void CopyTo(SafeFileHandle copy, ArchiveContent content, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        var at = 0L;
        for (int read; (read = content.Read(buffer)) > 0; at += read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            RandomAccess.Write(copy, buffer.AsSpan(0, read), at);
        }
    }

    /// <summary>Returns where a file lies in the archive's file; null if it is compressed there.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public (long Offset, long Length)? PlaceOf(string path) => !_index.Files.TryGetValue(_prefix + path, out var member)
        ? throw new FileNotFoundException($"the archive has no file {path}")
        : member.Deflated ? null : (_bytes.Start + member.Offset, member.Stored);

    /// <summary>Returns a stream that compares what is written to it with the bytes of the archive.</summary>
    public SameBytes Compare() => new(_bytes);

    /// <summary>Opens a file in place or, if it is compressed, a copy that is deleted on disposal.</summary>
    /// <inheritdoc cref="BundleFiles.Open" path="/exception"/>
    public override (FileBytes Bytes, IDisposable? Owner) Open(string path, CancellationToken cancellationToken)
    {
        using var content = Member(path);
        var member = _index.Files[_prefix + path];
        if (!member.Deflated)
            return (_bytes.Part(member.Offset, member.Stored), null);
        var copy = File.OpenHandle(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        try
        {
            CopyTo(copy, content, cancellationToken);
            return (new(copy, 0, content.Size), copy);
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    public override bool Has(string path) =>
        _index.Files.ContainsKey(_prefix + path) || _index.Files.Keys.Any(f => f.StartsWith($"{_prefix}{path}/", StringComparison.Ordinal));

    public override BundleTree Tree(int limit, CancellationToken cancellationToken) => _index.Tree();

    public override (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken)
    {
        using var content = Member(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(content.Size + 1, 1, BufferSize));
        try
        {
            for (int read; (read = content.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
            }
            return (Digest.FromHash(hash.GetHashAndReset()), content.Size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override byte[]? Read(string path, long limit)
    {
        using var content = Member(path);
        if (content.Size > limit)
            return null;
        var all = new byte[content.Size];
        var offset = 0;
        for (int read; offset < all.Length && (read = content.Read(all.AsSpan(offset))) > 0;)
            offset += read;
        content.End();
        return all;
    }

    public override bool IsSpecial(string path) => false;

    public override void Dispose() => _owner?.Dispose();

    private ArchiveContent Member(string path) => _index.Files.TryGetValue(_prefix + path, out var member)
        ? new(_bytes, path, member)
        : throw new FileNotFoundException($"{path} is not in the archive", path);

    private enum Kind
    {
        Other,
        Zip,
        Tar,
        Gzip,
    }

    /// <summary>
    /// Detects the kind by the file extension, so that bytes before a zip's first entry are a fault and not another kind; without
    /// a known extension by the first bytes.
    /// </summary>
    private static Kind KindOf(FileBytes bytes, string path)
    {
        var name = Path.GetFileName(path).ToLowerInvariant();
        if (name.EndsWith(".zip", StringComparison.Ordinal))
            return Kind.Zip;
        if (name.EndsWith(".tar", StringComparison.Ordinal))
            return Kind.Tar;
        Span<byte> first = stackalloc byte[TarEntries.Block];
        first = first[..bytes.Read(first, 0)];
        return first.StartsWith("PK"u8) ? Kind.Zip
            : first.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? Kind.Gzip
            : first.Length == TarEntries.Block && first[TarEntries.Magic..].StartsWith("ustar"u8) ? Kind.Tar
            : Kind.Other;
    }
}
