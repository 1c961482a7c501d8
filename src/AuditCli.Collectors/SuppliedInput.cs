namespace AuditCli.Collectors;

/// <summary>A file that management gave for the engagement.</summary>
/// <param name="Path">Full path.</param>
/// <param name="StatedRows">How many rows the giver says it has; null when nothing was said.</param>
public sealed record SuppliedInput(string Name, string Path, long? StatedRows);
