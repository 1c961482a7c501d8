using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Reperformance;

/// <summary>
/// A population item whose row differs, or a test whose result in a partition differs; Before or After is null if that side does not have it.
/// </summary>
/// <param name="Item">The item, or the id of the test.</param>
internal sealed record RowDifference(string Target, string Account, string Item, JsonElement? Before, JsonElement? After);

/// <summary>
/// Pairs the rows of a test that ran twice, or its results by partition. Equal lines at the same position are skipped without parsing;
/// other rows are held in memory only until their counterpart is found.
/// </summary>
internal static class RowComparison
{
    private const int MostUnpaired = 10_000;

    /// <summary>Yields every item that differs, in the order found.</summary>
    /// <exception cref="InvalidDataException">
    /// A line is not a row, an item occurs twice, or the files have too little in common to be paired; the message names the file.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <param name="path">The file's path in the bundle.</param>
    public static IEnumerable<RowDifference> Between(Stream before, Stream after, string path, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(path);
        return Between(
            NdjsonFile.Lines(before, name).Select(l => l.Line), NdjsonFile.Lines(after, name).Select(l => l.Line),
            new(name, "row of a test", KeyOfRow), cancellationToken);
    }

    /// <summary>Does the same for the lines of a control's results by partition.</summary>
    /// <inheritdoc cref="Between(Stream, Stream, string, CancellationToken)"/>
    public static IEnumerable<RowDifference> BetweenPartitions(
        IEnumerable<ReadOnlyMemory<byte>> before, IEnumerable<ReadOnlyMemory<byte>> after, string path, CancellationToken cancellationToken) =>
        Between(before, after, new(Path.GetFileName(path), "result of a test in a partition", KeyOfPartition), cancellationToken);

    private static IEnumerable<RowDifference> Between(
        IEnumerable<ReadOnlyMemory<byte>> before, IEnumerable<ReadOnlyMemory<byte>> after, LineForm form, CancellationToken cancellationToken)
    {
        var name = form.File;
        using var left = before.GetEnumerator();
        using var right = after.GetEnumerator();
        var (unpairedLeft, unpairedRight) = (new Dictionary<Key, JsonElement>(), new Dictionary<Key, JsonElement>());
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
            if (!hasLeft && !hasRight)
                break;
            if (hasLeft && hasRight && left.Current.Span.SequenceEqual(right.Current.Span))
                continue;
            if (hasLeft)
            {
                var (key, row) = Parse(left.Current, form);
                if (unpairedRight.Remove(key, out var other))
                {
                    if (!JsonElement.DeepEquals(row, other))
                        yield return new(key.Target, key.Account, key.Item, row, other);
                }
                else if (!unpairedLeft.TryAdd(key, row))
                    throw new InvalidDataException($"{name}: item '{key.Item}' occurs twice");
            }
            if (hasRight)
            {
                var (key, row) = Parse(right.Current, form);
                if (unpairedLeft.Remove(key, out var other))
                {
                    if (!JsonElement.DeepEquals(other, row))
                        yield return new(key.Target, key.Account, key.Item, other, row);
                }
                else
                    unpairedRight[key] = row;
            }
            if (unpairedLeft.Count > MostUnpaired || unpairedRight.Count > MostUnpaired)
                throw new InvalidDataException($"{name}: more than {MostUnpaired} items have no counterpart");
        }
        foreach (var (key, row) in unpairedLeft)
            yield return new(key.Target, key.Account, key.Item, row, null);
        foreach (var (key, row) in unpairedRight)
            yield return new(key.Target, key.Account, key.Item, null, row);
    }

    private static (Key, JsonElement) Parse(ReadOnlyMemory<byte> line, LineForm form)
    {
        try
        {
            var row = JsonElement.Parse(line.Span, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return (form.KeyOf(row), row);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            var start = PrintableText.Of(Encoding.UTF8.GetString(line.Span[..Math.Min(80, line.Length)]));
            throw new InvalidDataException($"{form.File}: a line is not a {form.Called}: {start}", e);
        }
    }

    private static Key KeyOfRow(JsonElement row) => new(Text(row, "target"), Text(row, "account"), Text(row, "item"));

    private static Key KeyOfPartition(JsonElement result)
    {
        var partition = result.GetProperty("partition");
        return new(Text(partition, "target"), Text(partition, "account"), Text(result, "id"));
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    private readonly record struct Key(string Target, string Account, string Item);

    /// <summary>What the lines of a file are called in messages, and what pairs them.</summary>
    private sealed record LineForm(string File, string Called, Func<JsonElement, Key> KeyOf);
}
