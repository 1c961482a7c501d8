using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Collects the rows made from one response, in the order in which they are written.</summary>
internal sealed class PageRows : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _writer;
    private readonly List<string> _pointers = [];

    /// <summary>Returns the rows of a page's objects. An object that cannot be read loses only its own rows.</summary>
    /// <param name="add">
    /// Adds the rows of one object with its index among the items; throws <see cref="FormatException"/> if the object cannot be read.
    /// </param>
    public static IEnumerable<Page> Of(KubernetesResource resource, JsonElement list, Action<PageRows, int, JsonElement> add)
    {
        try
        {
            using var rows = new PageRows();
            foreach (var (i, item) in ObjectRows.Items(list).Index())
                add(rows, i, item);
            return [new(rows.Complete())];
        }
        catch (FormatException)
        {
            // Rows already written of the object cannot be removed, so each object gets its own buffer; this happens rarely.
            return OneByOne(resource, list, add);
        }
    }

    private static IEnumerable<Page> OneByOne(KubernetesResource resource, JsonElement list, Action<PageRows, int, JsonElement> add)
    {
        var read = ImmutableArray.CreateBuilder<PageRow>();
        var failures = new List<CollectionException>();
        foreach (var (i, item) in ObjectRows.Items(list).Index())
        {
            using var rows = new PageRows();
            try
            {
                add(rows, i, item);
                read.AddRange(rows.Complete());
            }
            catch (FormatException e)
            {
                failures.Add(ObjectRows.Unreadable(resource, item, e));
            }
        }
        return Pages(read.ToImmutable(), failures);
    }

    /// <summary>Returns the rows that could be read, then the failures; if nothing could be read, only the failures.</summary>
    public static IEnumerable<Page> Pages(ImmutableArray<PageRow> read, IReadOnlyCollection<CollectionException> failures)
    {
        var pages = failures.Select(Page.Without);
        return read.IsEmpty && failures.Count > 0 ? pages : pages.Prepend(new(read));
    }

    public PageRows()
    {
        _writer = new(_buffer);
        _writer.WriteStartArray();
    }

    /// <summary>Writes one row of the object with this index among the page's items.</summary>
    public void Add(int item, Action<Utf8JsonWriter> write) => Add(string.Create(CultureInfo.InvariantCulture, $"/items/{item}"), write);

    /// <summary>Writes one row with the given JSON Pointer.</summary>
    public void Add(string pointer, Action<Utf8JsonWriter> write)
    {
        _pointers.Add(pointer);
        _writer.WriteStartObject();
        write(_writer);
        _writer.WriteEndObject();
    }

    /// <summary>Returns all rows; no row can be added afterwards.</summary>
    public ImmutableArray<PageRow> Complete()
    {
        _writer.WriteEndArray();
        _writer.Flush();
        // Each row holds parts of objects, which may be as deep as a page allows.
        var rows = JsonElement.Parse(_buffer.WrittenSpan, ObjectRows.Strict with { MaxDepth = ObjectRows.Strict.MaxDepth + 2 });
        return [.. rows.EnumerateArray().Zip(_pointers, (row, pointer) => new PageRow(row, pointer))];
    }

    public void Dispose() => _writer.Dispose();
}
