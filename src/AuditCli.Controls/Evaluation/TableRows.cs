using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Evaluation;

/// <summary>A compressed table in a bundle.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Sha256">SHA-256 of the uncompressed lines; null where it is not known.</param>
public sealed record TableFile(string Path, Digest? Sha256)
{
    /// <summary>Where the table lies in the file, if the file is the archive of a shard; null if it is the whole file.</summary>
    public FileRange? Part { get; init; }

    /// <summary>Opens the table.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It does not begin as a table does.</exception>
    public TableReader Open() => Part is { } part
        ? new(RegularFile.OpenPart(Path, part.Offset, part.Length), Path, Sha256)
        : new(Path, Sha256);
}

/// <summary>A part of a file, in bytes.</summary>
public sealed record FileRange(long Offset, long Length);

/// <summary>
/// The rows of a table as data, so that they can be passed to another process: files, followed by lines in memory, each line one
/// JSON object without its line end.
/// </summary>
public sealed record TableRows(ImmutableArray<TableFile> Files, ImmutableArray<string> Lines)
{
    public static TableRows Of(IEnumerable<TableFile> files) => new([.. files], []);

    public static TableRows Of(IEnumerable<string> lines) => new([], [.. lines]);

    /// <summary>Reads every row from the start. A row is valid until the next one is read.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not the expected table.</exception>
    /// <param name="open">Opens a file by its path; null for files of the file system.</param>
    public IEnumerable<ReadOnlyMemory<byte>> Read(Func<string, Stream>? open = null)
    {
        foreach (var file in Files)
        {
            using var table = open is null ? file.Open() : new TableReader(open(file.Path), file.Path, file.Sha256);
            while (table.TryRead(out var line))
                yield return line;
        }
        foreach (var line in Lines)
            yield return Encoding.UTF8.GetBytes(line);
    }
}
