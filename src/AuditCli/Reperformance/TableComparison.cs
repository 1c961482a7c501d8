using System.Text.Json;
using AuditCli.Evidence.Tables;

namespace AuditCli.Reperformance;

/// <summary>How the table that a bundle holds differs from the one rebuilt.</summary>
internal static class TableComparison
{
    private const int ColumnsNamed = 5;

    /// <summary>Null for equal tables, else the first row that differs, by its <c>_ref</c>, and in which columns.</summary>
    /// <exception cref="InvalidDataException">A table is torn; the message names it.</exception>
    /// <exception cref="IOException">A table cannot be read.</exception>
    public static string? FirstDifference(Stream before, Stream after, string path, CancellationToken cancellationToken)
    {
        using var left = new TableReader(before, Path.GetFileName(path));
        using var right = new TableReader(after, Path.GetFileName(path));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var hasLeft = left.TryRead(out var was);
            var hasRight = right.TryRead(out var now);
            if (!hasLeft && !hasRight)
                return null;
            if (hasLeft && hasRight && was.Span.SequenceEqual(now.Span))
                continue;
            var row = hasLeft ? left.Rows : right.Rows;
            return !hasRight ? $"row {row} ({Reference(was)}) is not in the rebuilt table"
                : !hasLeft ? $"row {row} ({Reference(now)}) is only in the rebuilt table"
                : $"row {row} ({Reference(was)}): {Columns(was, now)}";
        }
    }

    private static string Columns(ReadOnlyMemory<byte> was, ReadOnlyMemory<byte> now)
    {
        if (Parse(was) is not { } left || Parse(now) is not { } right)
            return "the line is no row";
        var columns = JsonDifference.Between(left, right).ToArray();
        var shown = string.Join(", ", columns.Take(ColumnsNamed).Select(c => $"{c.Path} {c.Before ?? "nothing"} -> {c.After ?? "nothing"}"));
        return columns.Length == 0 ? "the same values, written differently" : columns.Length > ColumnsNamed ? $"{shown} and {columns.Length - ColumnsNamed} more" : shown;
    }

    /// <summary>Where the row comes from; calls name the row they were made for.</summary>
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
            // The file is a stranger's; what is wrong with it is told as a difference.
            return null;
        }
    }
}
