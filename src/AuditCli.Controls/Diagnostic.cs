namespace AuditCli.Controls;

/// <summary>Whether a fault is one of form, which the JSON Schema finds too, or of meaning.</summary>
public enum DiagnosticKind
{
    Form,
    Meaning,
}

/// <summary>
/// A fault in a file written by a person: its position, its description and what to do. Line and column count from 1.
/// </summary>
public sealed record Diagnostic(string File, int Line, int Column, string Message, DiagnosticKind Kind)
{
    public override string ToString() => $"{File}:{Line}:{Column}: {Message}";
}
