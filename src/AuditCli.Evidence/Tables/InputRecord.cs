using System.Collections.Immutable;

namespace AuditCli.Evidence.Tables;

/// <summary>One cell of a supplied file. Without text and fault it is empty.</summary>
/// <param name="Text">The cell as text, whatever the file's format; null if it is empty or has a fault.</param>
/// <param name="Fault">Why the cell has no text that could be read, as the end of a sentence such as "holds the error #DIV/0!".</param>
public readonly record struct InputCell(string? Text, string? Fault = null);

/// <summary>One record of a supplied file, in whatever format: a cell for each column that was asked for, in the order asked.</summary>
/// <param name="Number">The record's number, from 1, not counting the header.</param>
/// <param name="Line">The line or sheet row on which it begins; in a format without lines, its number.</param>
public sealed record InputRecord(long Number, long Line, ImmutableArray<InputCell> Cells);
