using System.Collections.Immutable;

namespace AuditCli.Collectors;

/// <summary>An operation of which it is not known for certain what it needs. Nothing is granted for it.</summary>
public sealed record UnmappedOperation(string Operation, string Reason);

/// <summary>A read that changes something at the provider all the same.</summary>
public sealed record OperationSideEffect(string Operation, string Effect);

/// <summary>What a reader of a permission document must know beside it.</summary>
/// <param name="Notes">How to hand it over, and what is needed elsewhere; one sentence or two each.</param>
public sealed record PermissionRemarks(
    ImmutableArray<string> Notes,
    ImmutableArray<OperationSideEffect> SideEffects,
    ImmutableArray<UnmappedOperation> Unmapped)
{
    /// <summary>The side effects and what is missing, a line each.</summary>
    public IEnumerable<string> Warnings =>
    [
        .. SideEffects.Select(e => $"side effect: {e.Operation} {e.Effect}"),
        .. Unmapped.Select(u => $"unmapped, not granted: {u.Operation}: {u.Reason}"),
    ];

    /// <summary>Everything, a line each.</summary>
    public IEnumerable<string> Lines => Notes.Concat(Warnings);

    /// <summary>Every line as a comment of YAML or of a shell.</summary>
    internal string Comments => string.Concat(Lines.Select(l => $"# {l.ReplaceLineEndings(" ")}\n"));
}

/// <summary>
/// What somebody has to be granted so that a set of operations can be read, in the form that the provider's own tools take. It
/// depends on its input alone, and is the same for operations and targets in any order.
/// </summary>
/// <param name="Form">What the text is, for a heading.</param>
/// <param name="Text">The document, ending with a line feed.</param>
/// <param name="Remarks">What is to be said about it.</param>
/// <param name="HoldsRemarks">Whether the text says them itself, as comments.</param>
public sealed record PermissionDocument(string Form, string Text, PermissionRemarks Remarks, bool HoldsRemarks);
