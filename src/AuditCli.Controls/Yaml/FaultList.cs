using System.Collections.Immutable;

namespace AuditCli.Controls.Yaml;

/// <summary>Collects the faults of one file, so that its author sees all of them at once.</summary>
internal sealed class FaultList
{
    private readonly List<Diagnostic> _faults = [];

    public int Count => _faults.Count;

    /// <summary>Adds a fault that the JSON Schema finds too.</summary>
    public void Form(YamlPosition at, string message) => Add(at, message, DiagnosticKind.Form);

    /// <summary>Adds a fault that needs knowledge of other keys, other files or the catalogue.</summary>
    public void Meaning(YamlPosition at, string message) => Add(at, message, DiagnosticKind.Meaning);

    public void AddRange(IEnumerable<Diagnostic> faults) => _faults.AddRange(faults);

    /// <summary>Returns the faults in the order of the file.</summary>
    public ImmutableArray<Diagnostic> InOrder() =>
        [.. _faults.OrderBy(f => f.File, StringComparer.Ordinal).ThenBy(f => f.Line).ThenBy(f => f.Column)];

    private void Add(YamlPosition at, string message, DiagnosticKind kind) =>
        _faults.Add(new(at.File, at.Line, at.Column, message, kind));
}
