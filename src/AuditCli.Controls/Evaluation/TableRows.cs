using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Evaluation;

/// <summary>A compressed table in a bundle.</summary>
/// <param name="Path">Full path.</param>
/// <param name="Sha256">Of the uncompressed lines; null where nobody stated it.</param>
public sealed record TableFile(string Path, Digest? Sha256);

/// <summary>
/// The rows of a table as data, so that another process can be told where they are: files, and after them lines at hand, each line one
/// JSON object without its end.
/// </summary>
public sealed record TableRows(ImmutableArray<TableFile> Files, ImmutableArray<string> Lines)
{
    public static TableRows Of(IEnumerable<TableFile> files) => new([.. files], []);

    public static TableRows Of(IEnumerable<string> lines) => new([], [.. lines]);

    /// <summary>Every row from the start. A row stays valid until the next is asked for.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not the table it should be.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Read()
    {
        foreach (var (path, sha256) in Files)
        {
            using var table = new TableReader(path, sha256);
            while (table.TryRead(out var line))
                yield return line;
        }
        foreach (var line in Lines)
            yield return Encoding.UTF8.GetBytes(line);
    }
}
