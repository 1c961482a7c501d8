using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;

namespace AuditCli.Evidence.Verification;

/// <summary>
/// Checks that a table without rows has no file and every other table has one, so that "nothing was found" has one form, and rows that were
/// removed with their file are missed. Bundles whose results have schema 1 have a file for each table and are not checked.
/// </summary>
internal sealed class EmptyTables
{
    /// <summary>The size of a gzip member with empty content, whichever program wrote it, is less than this.</summary>
    private const int MostBytes = 128;

    private readonly ConcurrentBag<string> _files = [];
    private readonly List<(long Line, string Code, string Message)> _lines = [];

    /// <summary>Whether the results are of a schema in which empty tables have no file.</summary>
    private static bool AreChecked(byte[]? results)
    {
        if (results is null)
            return false;
        try
        {
            using var document = JsonDocument.Parse(results);
            return document.RootElement.TryGetProperty("schema", out var schema) && schema.TryGetInt32(out var number) && number > 1;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Computes digest and size of a table or of the index, and notes what is wrong with it; null for every other file.</summary>
    /// <param name="most">The number of lines to note.</param>
    /// <inheritdoc cref="BundleFiles.Hash" path="/exception"/>
    public (Digest Digest, long Size)? Hash(BundleFiles files, string path, int most, CancellationToken cancellationToken) =>
        path == BundleLayout.EvidenceIndex ? HashIndex(files, most, cancellationToken)
        : path.StartsWith(BundleLayout.TablesFolder, StringComparison.Ordinal) ? HashTable(files, path, cancellationToken)
        : null;

    private (Digest Digest, long Size) HashTable(BundleFiles files, string path, CancellationToken cancellationToken)
    {
        if (files.Read(path, MostBytes) is not { } content)
            return files.Hash(path, cancellationToken);
        if (IsEmpty(content))
            _files.Add(path);
        return (Digest.Of(content), content.Length);
    }

    private (Digest Digest, long Size) HashIndex(BundleFiles files, int most, CancellationToken cancellationToken)
    {
        var (bytes, owner) = files.Open(BundleLayout.EvidenceIndex, cancellationToken);
        using var _ = owner;
        using var index = new HashedStream(bytes, cancellationToken);
        var number = 0L;
        try
        {
            foreach (var (line, _) in NdjsonFile.Lines(index, BundleLayout.EvidenceIndex))
            {
                number++;
                if (_lines.Count < most && WhyNot(EvidenceIndex.Parse(line)) is { } wrong)
                    _lines.Add((number, wrong.Code, wrong.Message));
            }
        }
        catch (InvalidDataException e)
        {
            _lines.Add((Math.Max(1, number), VerifyCode.JsonMalformed, e.Message));
        }
        return index.End();
    }

    /// <summary>Returns what is wrong, in the order of files and lines; nothing if the form of the results does not ask for it.</summary>
    /// <param name="results">The content of <c>results.json</c>; null if it was not read.</param>
    public IEnumerable<VerifyProblem> Problems(byte[]? results) => !AreChecked(results) ? [] :
    [
        .. _lines.Select(l => new VerifyProblem(
            VerifyQuestion.Files, l.Code, BundleLayout.EvidenceIndex, $"line {l.Line}: {l.Message}", VerifyAnswer.Fails)),
        .. _files.Order(StringComparer.Ordinal).Select(f => new VerifyProblem(
            VerifyQuestion.Files, VerifyCode.UnexpectedFile, f, "has no rows, and a table without rows has no file", VerifyAnswer.Fails)),
    ];

    private static (string Code, string Message)? WhyNot(EvidenceItem item) =>
        item.Items > 0 && item.Table is null ? (VerifyCode.MissingFile, $"{item.EvidenceId} has {item.Items} rows, but names no table")
        : item.Items == 0 && item.Table is not null ? (VerifyCode.UnexpectedFile, $"{item.EvidenceId} has no rows, but names a table")
        : item.Table is null != item.TableSha256 is null || item.Calls is null != item.CallsSha256 is null
            ? (VerifyCode.JsonMalformed, $"{item.EvidenceId} has a table without its digest, or a digest without a table")
        : null;

    private static bool IsEmpty(byte[] content)
    {
        try
        {
            using var rows = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
            return rows.ReadByte() < 0;
        }
        catch (InvalidDataException)
        {
            // A file that is not gzip is not an empty table; whoever reads it reports it.
            return false;
        }
    }

    /// <summary>Reads a file from its beginning, and hashes what is read.</summary>
    private sealed class HashedStream(FileBytes source, CancellationToken cancellationToken) : ReadOnlyStream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _size;

        public override int Read(Span<byte> buffer)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = source.Read(buffer, _size);
            _hash.AppendData(buffer[..read]);
            _size += read;
            return read;
        }

        /// <summary>Reads the rest, and returns the digest and size of the whole.</summary>
        public (Digest Digest, long Size) End()
        {
            CopyTo(Null);
            return (Digest.FromHash(_hash.GetHashAndReset()), _size);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
