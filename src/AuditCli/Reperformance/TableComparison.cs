using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Evidence.Tables;

namespace AuditCli.Reperformance;

/// <summary>Finds the first difference between a bundle's table and the rebuilt one.</summary>
internal static class TableComparison
{
    private const int ColumnsNamed = 5;

    /// <summary>Returns the first row that differs, with its <c>_ref</c> and the columns that differ; null for equal tables.</summary>
    /// <param name="after">Null if the rebuilt table has no rows.</param>
    /// <exception cref="InvalidDataException">A table is truncated; the message names it.</exception>
    /// <exception cref="IOException">A table cannot be read.</exception>
    public static string? FirstDifference(Stream before, Stream? after, string path, CancellationToken cancellationToken)
    {
        using var left = new TableReader(before, Path.GetFileName(path));
        using var right = after is null ? null : new TableReader(after, Path.GetFileName(path));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var hasLeft = left.TryRead(out var was);
            var now = ReadOnlyMemory<byte>.Empty;
            var hasRight = right is not null && right.TryRead(out now);
            if (!hasLeft && !hasRight)
                return null;
            if (hasLeft && hasRight && was.Span.SequenceEqual(now.Span))
                continue;
            var row = hasLeft ? left.Rows : right!.Rows;
            return !hasRight ? $"row {row} ({Reference(was)}) is not in the rebuilt table"
                : !hasLeft ? $"row {row} ({Reference(now)}) is only in the rebuilt table"
                : $"row {row} ({Reference(was)}): {Columns(was, now)}";
        }
    }

    private static string Columns(ReadOnlyMemory<byte> was, ReadOnlyMemory<byte> now)
    {
        if (Parse(was) is not { } left || Parse(now) is not { } right)
            return "the line is not a row";
        var columns = JsonDifference.Between(left, right).ToArray();
        var shown = string.Join(", ", columns.Take(ColumnsNamed).Select(c => $"{c.Path} {c.Before ?? "nothing"} -> {c.After ?? "nothing"}"));
        return columns.Length == 0 ? "the same values, written differently"
            : columns.Length > ColumnsNamed ? $"{shown} and {columns.Length - ColumnsNamed} more"
            : shown;
    }

    /// <summary>Returns the reference of a row; for a call, that of the row it was made for.</summary>
    private static string Reference(ReadOnlyMemory<byte> line) => Parse(line) is not { } row ? "no row"
        : row.TryGetProperty("_ref", out var reference) || row.TryGetProperty("_parent", out reference) ? JsonDifference.Shown(reference)
        : "without _ref";

    private static JsonElement? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            var row = JsonElement.Parse(line.Span, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return row.ValueKind == JsonValueKind.Object ? row : null;
        }
        catch (JsonException)
        {
            // The file comes from an untrusted bundle; the caller reports the line as a difference.
            return null;
        }
    }
}
