using System.Text;
using System.Text.Json;

namespace AuditCli.Reports.Workpapers;

/// <summary>What a test says of one item of its population.</summary>
internal enum ItemVerdict
{
    Pass,
    Deviation,
    Approved,
    Undetermined,
    Indicated,
}

/// <summary>Who approved an exception, until when and why.</summary>
internal sealed record Approval(string ApprovedBy, string ApprovedOn, string Expires, string Reason);

/// <summary>One line of a test's rows file.</summary>
/// <param name="Line">Its number in the file, from 1.</param>
/// <param name="ExceptionId">Null for items without an exception.</param>
/// <param name="Attributes">The other columns of the test, a JSON object as it stands in the file; valid until the next row is read.</param>
internal sealed record PopulationRow(
    long Line,
    string Target,
    string Account,
    string Item,
    ItemVerdict Verdict,
    string? ExceptionId,
    string? Reason,
    Approval? Approval,
    ReadOnlyMemory<byte> Attributes)
{
    /// <summary>The verdict as people read it.</summary>
    public string Result => Verdict switch
    {
        ItemVerdict.Pass => "pass",
        ItemVerdict.Deviation => "exception",
        ItemVerdict.Approved => "approved exception",
        ItemVerdict.Undetermined => "undetermined",
        ItemVerdict.Indicated => "indicated exception",
        _ => throw new InvalidOperationException("a verdict without a word"),
    };

    /// <summary>The approval in words; empty without one.</summary>
    public string ApprovalWords => Approval is { } a ? $"{a.ApprovedBy} on {a.ApprovedOn}, until {a.Expires}: {a.Reason}" : "";

    /// <summary>The attributes by name, each as JSON that stays usable.</summary>
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
                var (start, kind) = ((int)reader.TokenStartIndex, reader.TokenType == JsonTokenType.StartObject ? JsonValueKind.Object : JsonValueKind.Array);
                reader.Skip();
                return new(kind, Encoding.UTF8.GetString(Attributes.Span[start..(int)reader.BytesConsumed]));
        }
    }
}

/// <summary>A value that a test shows beside its verdict.</summary>
/// <param name="Text">A string's text, a number's literal, or JSON; empty for null.</param>
internal readonly record struct AttributeValue(JsonValueKind Kind, string Text);
