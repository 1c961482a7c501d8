using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Files;

/// <summary>A file that management supplied for the engagement.</summary>
/// <param name="Path">The full path.</param>
/// <param name="StatedRows">The number of rows that the supplier states; null if none is stated.</param>
/// <param name="Written">The path as written in the engagement file, shown in messages and results; if null, the name is shown.</param>
public sealed record SuppliedInput(string Name, string Path, long? StatedRows, string? Written = null)
{
    public string Shown => Written ?? Name;

    /// <summary>Where the rows are in the file.</summary>
    public InputLayout Layout { get; init; } = InputLayout.Whole;

    /// <summary>The key under which values of personal columns are replaced by digests.</summary>
    public ReadOnlyMemory<byte> RedactionKey { get; init; }

    /// <summary>The totals that the supplier states, by column, as plain decimals.</summary>
    public ImmutableSortedDictionary<string, string> StatedTotals { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>A file that management supplied, as stored in the bundle.</summary>
/// <param name="File">The path relative to the bundle's root.</param>
/// <param name="Sha256">The digest of its bytes.</param>
/// <param name="IsRead">Whether a control of the run reads it; otherwise it is only attached.</param>
public sealed record BundledInput(string Name, string File, Digest Sha256, bool IsRead)
{
    /// <summary>The columns with digests in the place of values.</summary>
    public ImmutableSortedSet<string> Personal { get; init; } = [];

    /// <summary>
    /// The digest of the file that was supplied, where values were replaced in the copy; null where the copy is equal to it.
    /// </summary>
    public Digest? Original { get; init; }
}
