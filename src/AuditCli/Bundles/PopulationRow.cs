using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Bundles;

/// <summary>The verdict of a test on one item of its population.</summary>
internal enum ItemVerdict
{
    Pass,
    Deviation,
    Approved,
    Undetermined,
    Indicated,
}

/// <summary>Who approved an exception, when, until when and why.</summary>
internal sealed record Approval(string ApprovedBy, string ApprovedOn, string Expires, string Reason)
{
    /// <summary>The members as name and value, in the order of the rows file.</summary>
    public IEnumerable<(string Name, string Value)> Members =>
        [("approved_by", ApprovedBy), ("approved_on", ApprovedOn), ("expires", Expires), ("reason", Reason)];

    /// <summary>The approval as text for people.</summary>
    public string Words => $"{ApprovedBy} on {ApprovedOn}, until {Expires}: {Reason}";
}

/// <summary>One item of a test's population and its verdict: a line of <c>data/results/&lt;control&gt;.&lt;test&gt;.ndjson</c>.</summary>
/// <param name="Line">The line number in the file, counted from 1.</param>
/// <param name="Passed">The test's own column <c>pass</c>; null for NULL.</param>
/// <param name="Claim">The exception id in the line; null if it has none. <see cref="RowsCheck"/> compares it with <see cref="Id"/>.</param>
/// <param name="Reason">Null for items that pass.</param>
/// <param name="Approval">Null for items that are not approved.</param>
/// <param name="Attributes">The other columns of the test: a JSON object in UTF-8, unchanged from the file.</param>
internal sealed record PopulationRow(
    string Control,
    string Test,
    long Line,
    string Target,
    string Account,
    string Item,
    bool? Passed,
    ItemVerdict Verdict,
    string? Claim,
    string? Reason,
    Approval? Approval,
    ReadOnlyMemory<byte> Attributes)
{
    /// <summary>The path of the file with the line, which may be one of a shard.</summary>
    public required string File { get; init; }

    /// <summary>Whether the item is listed among the exceptions, approved or not.</summary>
    public bool IsException => IsOpen || Verdict == ItemVerdict.Approved;

    /// <summary>
    /// Whether the item is an exception without approval. Includes <c>indicated</c>, which is an exception found in incomplete evidence.
    /// </summary>
    public bool IsOpen => Verdict is ItemVerdict.Deviation or ItemVerdict.Indicated;

    /// <summary>The item's exception id, computed from what it is about; the id in the line could be that of another item.</summary>
    public string Id => ExceptionIds.For(Control, Test, Account, Item);

    /// <summary><see cref="Id"/> for an exception, otherwise null.</summary>
    public string? ExceptionId => IsException ? Id : null;

    /// <summary>The verdict as spelled in the rows file.</summary>
    public string Word => WordOf(Verdict);

    /// <summary>Returns a verdict as spelled in the rows file.</summary>
    public static string WordOf(ItemVerdict verdict) => verdict switch
    {
        ItemVerdict.Pass => "pass",
        ItemVerdict.Deviation => "deviation",
        ItemVerdict.Approved => "approved",
        ItemVerdict.Undetermined => "undetermined",
        ItemVerdict.Indicated => "indicated",
        _ => throw new InvalidOperationException("a verdict without a word"),
    };

    /// <summary>The verdict as reports show it.</summary>
    public string Result => Verdict switch
    {
        ItemVerdict.Deviation => "exception",
        ItemVerdict.Approved => "approved exception",
        ItemVerdict.Indicated => "indicated exception",
        _ => Word,
    };

    /// <summary>The approval as text for people; empty without one.</summary>
    public string ApprovalWords => Approval?.Words ?? "";

    /// <summary>The target and account of the item, as text for people.</summary>
    public string Place => Target.Length + Account.Length == 0 ? "the inputs"
        : Target == Account ? Target == Partition.Everywhere ? "all accounts together" : Target : $"{Target} {Account}".Trim();

    /// <summary>Returns the attributes as names and values.</summary>
    public IEnumerable<KeyValuePair<string, AttributeValue>> AttributeValues()
    {
        var values = new List<KeyValuePair<string, AttributeValue>>();
        var reader = new Utf8JsonReader(Attributes.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = RowJson.Text(ref reader);
            reader.Read();
            values.Add(new(name, Value(ref reader)));
        }
        return values;
    }

    private AttributeValue Value(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return new(JsonValueKind.String, RowJson.Text(ref reader));
            case JsonTokenType.Number:
                return new(JsonValueKind.Number, Encoding.UTF8.GetString(reader.ValueSpan));
            case JsonTokenType.True:
                return new(JsonValueKind.True, "true");
            case JsonTokenType.False:
                return new(JsonValueKind.False, "false");
            case JsonTokenType.Null:
                return new(JsonValueKind.Null, "");
            default:
                var (start, kind) = (
                    (int)reader.TokenStartIndex, reader.TokenType == JsonTokenType.StartObject ? JsonValueKind.Object : JsonValueKind.Array);
                reader.Skip();
                return new(kind, Encoding.UTF8.GetString(Attributes.Span[start..(int)reader.BytesConsumed]));
        }
    }
}

/// <summary>An attribute of an item: a column that a test shows in addition to its verdict.</summary>
/// <param name="Text">A string's text, a number's literal, or JSON; empty for null.</param>
internal readonly record struct AttributeValue(JsonValueKind Kind, string Text);
