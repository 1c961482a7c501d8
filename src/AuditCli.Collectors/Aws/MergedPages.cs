using System.Buffers;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Merges the pages of one response into one object, as the AWS CLI and boto3's paginators do: result lists are concatenated, members that
/// are the same on every page are kept, and members that only concern paging are omitted. Every value keeps its original bytes.
/// </summary>
internal sealed class MergedPages(OperationModel operation)
{
    private readonly Pager? _pager = operation.Pager;
    private readonly string[] _growing = operation.Pager switch
    {
        null => [],
        { Results.IsEmpty: true } => operation.Rows is { } rows ? [rows] : [],
        var pager => [.. pager.Results],
    };

    private Part? _all;

    public void Add(JsonElement page)
    {
        if (_all is null)
        {
            _all = First(page);
            return;
        }
        foreach (var path in _growing)
        {
            if (Value(page, path) is not { } added)
                continue;
            if (_all.Find(path) is { } before)
                before.Join(added);
            else
                _all.Put(path, added);
        }
    }

    public JsonElement ToElement()
    {
        var content = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(content))
            (_all ?? new()).Write(writer);
        return JsonElement.Parse(content.WrittenSpan);
    }

    private Part First(JsonElement page)
    {
        var first = new Part();
        if (_pager is { Results.IsEmpty: false })
        {
            foreach (var path in _pager.Kept.Concat(_growing))
            {
                if (Value(page, path) is { } value)
                    first.Put(path, value);
            }
            return first;
        }
        foreach (var member in page.EnumerateObject())
        {
            if (_pager is null || !_pager.Outputs.Append(_pager.More).Contains(member.Name))
                first.Put(member.Name, member.Value);
        }
        return first;
    }

    private static JsonElement? Value(JsonElement root, string path)
    {
        foreach (var step in path.Split('.'))
        {
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(step, out root))
                return null;
        }
        return root.ValueKind == JsonValueKind.Null ? null : root;
    }

    /// <summary>An object under construction, or a received value to which the same list of later pages may be joined.</summary>
    private sealed class Part
    {
        private readonly List<(string Name, Part Value)> _members = [];
        private readonly List<JsonElement> _values = [];

        public Part? Find(string path) => path.Split('.').Aggregate((Part?)this, (at, step) => at?.Member(step));

        public void Put(string path, JsonElement value)
        {
            var at = this;
            foreach (var step in path.Split('.'))
                at = at.Member(step) ?? at.Add(step);
            at._members.Clear();
            at._values.Clear();
            at._values.Add(value);
        }

        /// <summary>Joins a list to the existing list; any other value keeps the first page's content.</summary>
        public void Join(JsonElement more)
        {
            if (more.ValueKind == JsonValueKind.Array && _values is [{ ValueKind: JsonValueKind.Array }, ..])
                _values.Add(more);
        }

        public void Write(Utf8JsonWriter writer)
        {
            if (_values is [var only])
            {
                JsonOutput.AsItCame(writer, only);
                return;
            }
            if (_values.Count > 1)
            {
                writer.WriteStartArray();
                foreach (var element in _values.SelectMany(v => v.EnumerateArray()))
                    JsonOutput.AsItCame(writer, element);
                writer.WriteEndArray();
                return;
            }
            writer.WriteStartObject();
            foreach (var (name, value) in _members)
            {
                writer.WritePropertyName(name);
                value.Write(writer);
            }
            writer.WriteEndObject();
        }

        /// <summary>Returns a member. A received object is first split into its members, so that a list in it can grow.</summary>
        private Part? Member(string name)
        {
            if (_values is [{ ValueKind: JsonValueKind.Object } whole])
            {
                _values.Clear();
                foreach (var member in whole.EnumerateObject())
                    Add(member.Name)._values.Add(member.Value);
            }
            return _members.FirstOrDefault(m => m.Name == name).Value;
        }

        private Part Add(string name)
        {
            var part = new Part();
            _members.Add((name, part));
            return part;
        }
    }
}
