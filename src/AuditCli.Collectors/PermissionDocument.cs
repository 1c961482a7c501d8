using System.Collections.Immutable;

namespace AuditCli.Collectors;

/// <summary>An operation whose required permissions are not known for certain; the document grants nothing for it.</summary>
public sealed record UnmappedOperation(string Operation, string Reason);

/// <summary>A read operation that nevertheless changes something at the provider.</summary>
public sealed record OperationSideEffect(string Operation, string Effect);

/// <summary>The remarks that accompany a permission document.</summary>
/// <param name="Notes">How to apply the document and what else is needed; one or two sentences each.</param>
public sealed record PermissionRemarks(
    ImmutableArray<string> Notes,
    ImmutableArray<OperationSideEffect> SideEffects,
    ImmutableArray<UnmappedOperation> Unmapped)
{
    /// <summary>The side effects and the unmapped operations, one line each.</summary>
    public IEnumerable<string> Warnings =>
    [
        .. SideEffects.Select(e => $"side effect: {e.Operation} {e.Effect}"),
        .. Unmapped.Select(u => $"unmapped, not granted: {u.Operation}: {u.Reason}"),
    ];

    /// <summary>All remarks, one line each.</summary>
    public IEnumerable<string> Lines => Notes.Concat(Warnings);

    /// <summary>All remarks as YAML or shell comments, one line each.</summary>
    internal string Comments => string.Concat(Lines.Select(l => $"# {l.ReplaceLineEndings(" ")}\n"));
}

/// <summary>
/// The permissions needed to read a set of operations, in the form that the provider's own tools accept. The document depends only on its
/// input, and the order of operations and targets does not matter.
/// </summary>
/// <param name="Form">The kind of document, for a heading.</param>
/// <param name="Text">The document; it ends with a line feed.</param>
/// <param name="Remarks">The remarks on the document.</param>
/// <param name="HoldsRemarks">Whether the text already contains the remarks as comments.</param>
public sealed record PermissionDocument(string Form, string Text, PermissionRemarks Remarks, bool HoldsRemarks);
