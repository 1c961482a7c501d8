using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Reperformance;

/// <summary>A population item whose row differs; Before or After is null if that side does not have it.</summary>
internal sealed record RowDifference(string Target, string Account, string Item, JsonElement? Before, JsonElement? After);

/// <summary>
/// Pairs the rows of a test that ran twice. Equal lines at the same position are skipped without parsing; other rows are held in memory
/// only until their counterpart is found.
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
        using var left = NdjsonFile.Lines(before, name).Select(l => l.Line).GetEnumerator();
        using var right = NdjsonFile.Lines(after, name).Select(l => l.Line).GetEnumerator();
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
                var (key, row) = Parse(left.Current, name);
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
                var (key, row) = Parse(right.Current, name);
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

    private static (Key, JsonElement) Parse(ReadOnlyMemory<byte> line, string name)
    {
        try
        {
            var row = JsonElement.Parse(line.Span, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var key = new Key(row.GetProperty("target").GetString()!, row.GetProperty("account").GetString()!, row.GetProperty("item").GetString()!);
            return (key, row);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            var start = PrintableText.Of(Encoding.UTF8.GetString(line.Span[..Math.Min(80, line.Length)]));
            throw new InvalidDataException($"{name}: a line is not a row of a test: {start}", e);
        }
    }

    private readonly record struct Key(string Target, string Account, string Item);
}
