using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>The rows made from one answer, in the order they were written.</summary>
internal sealed class PageRows : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _writer;
    private readonly List<string> _pointers = [];

    /// <summary>The rows of a page's objects. An object that cannot be read costs its own rows and leaves the others.</summary>
    /// <param name="add">Adds the rows of one object and says where among the items it stands; a <see cref="FormatException"/> says that it cannot be read.</param>
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
            // What was written of the object cannot be taken back, so each gets rows of its own; a page seldom comes here.
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

    /// <summary>What could be read of an answer, then what could not; an answer of which nothing could be read is no page.</summary>
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

    /// <summary>Writes one row of the object that stands at this place among the page's items.</summary>
    public void Add(int item, Action<Utf8JsonWriter> write) => Add(string.Create(CultureInfo.InvariantCulture, $"/items/{item}"), write);

    /// <summary>Writes one row of what the pointer leads to.</summary>
    public void Add(string pointer, Action<Utf8JsonWriter> write)
    {
        _pointers.Add(pointer);
        _writer.WriteStartObject();
        write(_writer);
        _writer.WriteEndObject();
    }

    /// <summary>All rows; nothing can be added behind them.</summary>
    public ImmutableArray<PageRow> Complete()
    {
        _writer.WriteEndArray();
        _writer.Flush();
        // Each row holds parts of objects as deep as a page may have them.
        var rows = JsonElement.Parse(_buffer.WrittenSpan, ObjectRows.Strict with { MaxDepth = ObjectRows.Strict.MaxDepth + 2 });
        return [.. rows.EnumerateArray().Zip(_pointers, (row, pointer) => new PageRow(row, pointer))];
    }

    public void Dispose() => _writer.Dispose();
}
