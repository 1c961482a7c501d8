using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Lookup;

/// <summary>Composes the <c>call</c> command lines that read evidence from the provider again.</summary>
internal static class ReadAgain
{
    private const int MostCommands = 4;

    /// <summary>Returns a command for each operation that made the evidence; none for a file that management supplied.</summary>
    /// <param name="row">The parent row for which the operation was called; null if it was called once.</param>
    public static IEnumerable<string> Of(AuditHost host, EvidenceItem item, TracedRow? row)
    {
        if (host.Collectors.FirstOrDefault(c => c.Source.Name == item.Source) is not { } collector
            || collector.Source.FindOperation(item.Operation) is not { } operation)
        {
            return [];
        }
        var place = collector.Call is { Place: { } option, PlaceOf: var placeOf } && placeOf(item) is { } value
            ? $" {option.Name} {Quoted(value)}"
            : "";
        // A table made from several responses was read without parameters of its own.
        var parameters = operation.Reads.Contains(operation.Name)
            ? string.Concat(Parameters(item, row).Select(p => $" {Quoted($"{p.Name}={p.Value}")}"))
            : "";
        return operation.Reads.Take(MostCommands).Select(o =>
            $"auditcli call {item.Source} {Quoted(o)}{parameters} --engagement ENGAGEMENT --target {Quoted(item.Target)}{place}");
    }

    private static IEnumerable<(string Name, string Value)> Parameters(EvidenceItem item, TracedRow? row)
    {
        const string With = "_with_";
        foreach (var (name, value) in item.Parameters)
            yield return (name, JsonMember.TextOrRaw(value));
        if (row is not { Row.ValueKind: JsonValueKind.Object, Element: "" })
            yield break;
        var parentValues = row.Row.EnumerateObject()
            .Where(m => m.Name.StartsWith(With, StringComparison.Ordinal) && m.Value.ValueKind == JsonValueKind.String);
        foreach (var member in parentValues)
            yield return (member.Name[With.Length..], RowJson.Text(member.Value));
    }

    /// <summary>Quotes a word for a POSIX shell.</summary>
    private static string Quoted(string word) => word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/' or '=' or '@' or ',')
        ? word
        : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
