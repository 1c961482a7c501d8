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
    private readonly SafeFileHandle _handle;
    private readonly ArchiveIndex _index;
    private readonly string _prefix;

    private BundleArchive(SafeFileHandle handle, ArchiveIndex index) => (_handle, _index, _prefix) = (handle, index, index.TopFolder);

    public override string Name => _prefix.TrimEnd('/');

    /// <summary>Reads the list of entries; returns null, and why, when it is not safe to continue.</summary>
    /// <param name="limit">The largest allowed number of entries.</param>
    /// <exception cref="NotSupportedException">It is a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static (BundleArchive? Archive, IReadOnlyList<ManifestFault> Faults) Open(string path, int limit, CancellationToken cancellationToken)
    {
        var handle = SafeFile.OpenRead(path);
        try
        {
            var length = SafeFile.Size(handle, path);
            var index = new ArchiveIndex(limit);
            try
            {
                switch (KindOf(handle, path))
                {
                    case Kind.Zip:
                        ZipEntries.Read(handle, length, index, cancellationToken);
                        break;
                    case Kind.Tar:
                        TarEntries.Read(handle, length, index, cancellationToken);
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
            if (index.Faults.Count == 0)
                return (new(handle, index), []);
            handle.Dispose();
            return (null, index.Faults);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

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

    public override Stream Open(string path) => new MemberStream(Member(path));

    public override bool IsSpecial(string path) => false;

    public override void Dispose() => _handle.Dispose();

    private ArchiveContent Member(string path) => _index.Files.TryGetValue(_prefix + path, out var member)
        ? new(_handle, path, member)
        : throw new FileNotFoundException($"{path} is not in the archive", path);

    private sealed class MemberStream(ArchiveContent content) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => content.Read(buffer);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                content.Dispose();
            base.Dispose(disposing);
        }
    }

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
    private static Kind KindOf(SafeFileHandle handle, string path)
    {
        var name = Path.GetFileName(path).ToLowerInvariant();
        if (name.EndsWith(".zip", StringComparison.Ordinal))
            return Kind.Zip;
        if (name.EndsWith(".tar", StringComparison.Ordinal))
            return Kind.Tar;
        Span<byte> first = stackalloc byte[TarEntries.Block];
        first = first[..RandomAccess.Read(handle, first, 0)];
        return first.StartsWith("PK"u8) ? Kind.Zip
            : first.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? Kind.Gzip
            : first.Length == TarEntries.Block && first[TarEntries.Magic..].StartsWith("ustar"u8) ? Kind.Tar
            : Kind.Other;
    }
}
