using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Lookup;

/// <summary>One item of a test's population and what was said of it: a line of <c>data/results/&lt;control&gt;.&lt;test&gt;.ndjson</c>.</summary>
/// <param name="Verdict"><c>pass</c>, <c>deviation</c>, <c>approved</c>, <c>undetermined</c> or <c>indicated</c>.</param>
/// <param name="Waiver">Who approved it and why; null for what is not approved.</param>
internal sealed record PopulationRow(
    string Control, string Test, string Target, string Account, string Item, string Verdict, string? Reason, JsonElement? Waiver, JsonElement Attributes)
{
    private const int ShownOfALine = 80;

    /// <summary>Whether it is listed among the exceptions, approved or not.</summary>
    public bool IsException => IsOpen || Verdict == "approved";

    /// <summary>Whether it is an exception that nothing covers; <c>indicated</c> too, which evidence that is not complete shows.</summary>
    public bool IsOpen => Verdict is "deviation" or "indicated";

    /// <summary>Made from what it is of, never taken from the line: a line could claim to be another's.</summary>
    public string ExceptionId => ExceptionIds.For(Control, Test, Account, Item);

    /// <summary>Where it was found, for people.</summary>
    public string Place => Target == Account ? Target == "*" ? "all accounts together" : Target : $"{Target} {Account}".Trim();

    /// <exception cref="InvalidDataException">The line is no such row; the message has its beginning.</exception>
    public static PopulationRow Parse(string control, string test, ReadOnlyMemory<byte> line)
    {
        try
        {
            var row = JsonElement.Parse(line.Span, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new(
                control, test, Text(row, "target"), Text(row, "account"), Text(row, "item"), Text(row, "verdict"),
                row.TryGetProperty("reason", out var reason) ? reason.GetString() : null,
                row.TryGetProperty("waiver", out var waiver) ? waiver : null,
                row.GetProperty("attributes") is { ValueKind: JsonValueKind.Object } attributes ? attributes : throw new InvalidOperationException("attributes are no object"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException(
                $"{control}.{test}.ndjson: a line is no row of a test: {PrintableText.Of(Encoding.UTF8.GetString(line.Span[..Math.Min(ShownOfALine, line.Length)]))}", e);
        }
    }

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString() ?? throw new InvalidOperationException($"'{member}' is null");
}
