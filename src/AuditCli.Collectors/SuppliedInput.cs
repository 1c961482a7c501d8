using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>A file that management gave for the engagement.</summary>
/// <param name="Path">Full path.</param>
/// <param name="StatedRows">How many rows the giver says it has; null when nothing was said.</param>
/// <param name="Written">The path as the engagement has it, which messages and results show; null shows the name.</param>
public sealed record SuppliedInput(string Name, string Path, long? StatedRows, string? Written = null)
{
    public string Shown => Written ?? Name;
}

/// <summary>A file that management gave, as the bundle keeps it.</summary>
/// <param name="File">Path from the bundle's root.</param>
/// <param name="Sha256">Of its bytes.</param>
/// <param name="IsRead">Whether a control of the run reads it; otherwise it is attached, and nothing is tested with it.</param>
public sealed record BundledInput(string Name, string File, Digest Sha256, bool IsRead);
