using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Reperformance;

/// <summary>
/// The results of a bundle as JSON, so that a file that was edited and no longer fits the model can still be compared member by member.
/// Results of both schemas have the same form here: members of controls, and lines of results by partition.
/// </summary>
internal sealed class RawResults
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };
    private readonly BundleFolder _bundle;
    private readonly JsonElement _root;
    private (string Control, Dictionary<(string Test, string Target, string Account), string> Digests)? _rows;

    private RawResults(BundleFolder bundle, JsonElement root) => (_bundle, _root) = (bundle, root);

    /// <exception cref="InvalidDataException">The results cannot be parsed; the message says why.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RawResults Read(BundleFolder bundle)
    {
        try
        {
            var root = JsonElement.Parse(bundle.Read(BundleLayout.Results), Strict);
            return root.GetProperty("controls").ValueKind == JsonValueKind.Array && root.GetProperty("engine").ValueKind == JsonValueKind.Object
                ? new(bundle, root)
                : throw new InvalidDataException($"{BundleLayout.Results} has no controls or no engine");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{BundleLayout.Results} cannot be read: {e.Message}", e);
        }
    }

    public JsonElement Engine => _root.GetProperty("engine");

    /// <summary>Whether each control has its results by partition itself, and no totals.</summary>
    public bool IsSchema1 => ResultsJson.IsSchema1(_root);

    /// <summary>The ids of the controls, in the order of the file.</summary>
    public IEnumerable<string> Controls => _root.GetProperty("controls").EnumerateArray().Select(c => JsonMember.Text(c, "id")).OfType<string>();

    /// <summary>
    /// Returns the results without the engine, what was not tested, and what is compared by partition. Beside results of schema 1 also
    /// without the members that schema 1 does not have.
    /// </summary>
    public JsonElement Comparable(bool withSchema1)
    {
        var root = JsonObject.Create(_root)!;
        foreach (var member in withSchema1 ? ["engine", "not_tested", "schema"] : new[] { "engine", "not_tested" })
            root.Remove(member);
        foreach (var control in root["controls"]!.AsArray().OfType<JsonObject>())
        {
            control.Remove("partitions");
            if (withSchema1)
                control.Remove("tests");
        }
        return JsonSerializer.SerializeToElement(root);
    }

    /// <summary>Returns a control; null if there is none of that id.</summary>
    public JsonElement? Control(string id) => _root.GetProperty("controls").EnumerateArray()
        .Select(c => (JsonElement?)c).FirstOrDefault(c => JsonMember.Text(c!.Value, "id") == id);

    /// <summary>
    /// Returns the lines of a control's results by partition, each valid until the next one is read; none if the bundle has no such file.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> PartitionLines(string control, CancellationToken cancellationToken)
    {
        if (IsSchema1)
            return Control(control) is { } found ? Members(found, "tests").Select(t => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(t.GetRawText())) : [];
        var path = PartitionsCheck.PathOf(control);
        return _bundle.Has(path) ? Lines(path, cancellationToken) : [];
    }

    /// <summary>Returns the digest that the results give for a control's results by partition; null if they give none.</summary>
    public string? PartitionsDigest(string control) =>
        Control(control) is { } found && found.TryGetProperty("partitions", out var file) ? JsonMember.Text(file, "sha256") : null;

    /// <summary>Returns the digest that the results give for the rows of a test in a partition; null if they give none.</summary>
    public string? RowsDigest(string control, string test, string target, string account, CancellationToken cancellationToken)
    {
        if (_rows is not { } kept || kept.Control != control)
        {
            var digests = new Dictionary<(string, string, string), string>();
            foreach (var line in PartitionLines(control, cancellationToken))
            {
                if (Partition(line) is var (id, at, of) && JsonMember.Text(JsonElement.Parse(line.Span), "rows_sha256") is { } digest)
                    digests.TryAdd((id, at, of), digest);
            }
            _rows = kept = (control, digests);
        }
        return kept.Digests.GetValueOrDefault((test, target, account));
    }

    /// <summary>Whether two counts of a control's evidence do not agree in a partition.</summary>
    public bool Disagrees(string control, CancellationToken cancellationToken) => PartitionLines(control, cancellationToken)
        .SelectMany(l => Members(JsonElement.Parse(l.Span), "completeness"))
        .Any(c => c.TryGetProperty("agree", out var agree) && agree.ValueKind == JsonValueKind.False);

    /// <summary>Returns the elements of a list; none if there is no such list.</summary>
    public static JsonElement.ArrayEnumerator Members(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : default;

    private static (string Test, string Target, string Account)? Partition(ReadOnlyMemory<byte> line)
    {
        var result = JsonElement.Parse(line.Span, Strict);
        return JsonMember.Text(result, "id") is { } id && result.TryGetProperty("partition", out var at)
            && JsonMember.Text(at, "target") is { } target && JsonMember.Text(at, "account") is { } account ? (id, target, account) : null;
    }

    private IEnumerable<ReadOnlyMemory<byte>> Lines(string path, CancellationToken cancellationToken)
    {
        using var file = _bundle.Open(path, cancellationToken);
        foreach (var (line, _) in NdjsonFile.Lines(file, path))
            yield return line;
    }
}
