using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Lookup;

/// <summary>What of a bundle somebody named.</summary>
internal abstract record Selection
{
    private const string RecordPrefix = "urn:uuid:";
    private const string ExceptionMark = "/X/";
    private const string Inputs = "data/inputs/";

    private Selection()
    {
    }

    /// <summary>Nothing was named: all controls.</summary>
    public sealed record Everything : Selection;

    public sealed record OfControl(ControlResult Control) : Selection;

    public sealed record OfTest(ControlResult Control, string Test) : Selection;

    /// <summary>An item of a test; the same item of several tests or accounts stands several times.</summary>
    public sealed record OfItems(ControlResult Control, ImmutableArray<PopulationRow> Rows) : Selection;

    public sealed record OfEvidence(ImmutableArray<EvidenceItem> Items) : Selection;

    /// <param name="Pointer">Where in the answer (RFC 6901); empty for all of it.</param>
    public sealed record OfExchange(string Record, string Pointer) : Selection;

    /// <param name="Row">Which record of the file, from 1; null for its beginning.</param>
    public sealed record OfInput(string File, long? Row) : Selection;

    /// <summary>Finds what the words name; null with a message that says what would have been understood.</summary>
    /// <exception cref="InvalidDataException">A file is not the one that was sealed.</exception>
    public static (Selection? Found, string? Wrong) Of(OpenedBundle bundle, ImmutableArray<string> words)
    {
        if (words is not [var first, ..])
            return (new Everything(), null);
        if (first.Contains(ExceptionMark, StringComparison.Ordinal) && words.Length == 1)
            return OfException(bundle, first);
        if (first.StartsWith(Inputs, StringComparison.Ordinal) && words.Length == 1)
            return OfFile(bundle, first);
        if (words.Length == 1 && (first.StartsWith(RecordPrefix, StringComparison.Ordinal) || Guid.TryParseExact(first.Split('#')[0], "D", out _)))
        {
            var (record, pointer) = first.Split('#', 2) is [var r, var p] ? (r, p) : (first, "");
            return (new OfExchange(record.StartsWith(RecordPrefix, StringComparison.Ordinal) ? record : RecordPrefix + record, pointer), null);
        }
        if (bundle.Results.Controls.FirstOrDefault(c => c.Id.Equals(first, StringComparison.OrdinalIgnoreCase)) is { } control)
            return InControl(bundle, control, words[1..]);
        var evidence = bundle.Index.Where(i => i.EvidenceId == first).ToImmutableArray();
        if (!evidence.IsEmpty && words.Length == 1)
            return (new OfEvidence(evidence), null);
        var known = bundle.Results.Controls.Select(c => c.Id).Concat(bundle.Index.Select(i => i.EvidenceId));
        return (null, $"the bundle has nothing called {PrintableText.Of(first, 200)}{NearMiss.Hint(first, known)}; name a control, a control with a test and an item, an exception id, an evidence id, or a _ref");
    }

    private static (Selection?, string?) InControl(OpenedBundle bundle, ControlResult control, ImmutableArray<string> words)
    {
        if (words is not [var first, ..])
            return (new OfControl(control), null);
        var tests = control.Tests.Select(t => t.Id).Distinct(StringComparer.Ordinal).ToImmutableArray();
        var test = tests.FirstOrDefault(t => t.Equals(first, StringComparison.OrdinalIgnoreCase));
        if (test is not null && words.Length == 1)
            return (new OfTest(control, test), null);
        if (words.Length > 2 || (test is null && words.Length == 2))
            return (null, $"{control.Id} has no test {PrintableText.Of(first, 200)}{NearMiss.Hint(first, tests)}; its tests are {string.Join(", ", tests)}");
        var item = words[^1];
        var rows = (test is null ? tests : [test]).SelectMany(t => bundle.Rows(control.Id, t)).Where(r => r.Item == item).ToImmutableArray();
        if (!rows.IsEmpty)
            return (new OfItems(control, rows), null);
        var items = (test is null ? tests : [test]).SelectMany(t => bundle.Rows(control.Id, t)).Select(r => r.Item);
        return (null, $"{control.Id}{(test is null ? "" : $" {test}")} has no item {PrintableText.Of(item, 200)}{Near(item, items)}; see: auditcli show BUNDLE {control.Id} {test ?? tests.FirstOrDefault()}");
    }

    private static (Selection?, string?) OfException(OpenedBundle bundle, string id)
    {
        var name = id[..id.IndexOf(ExceptionMark, StringComparison.Ordinal)];
        if (bundle.Results.Controls.FirstOrDefault(c => c.Id.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } control)
            return (null, $"the bundle has no control {PrintableText.Of(name, 200)}{NearMiss.Hint(name, bundle.Results.Controls.Select(c => c.Id))}");
        var wanted = control.Id + id[name.Length..];
        var rows = control.Tests.Select(t => t.Id).Distinct(StringComparer.Ordinal).SelectMany(t => bundle.Rows(control.Id, t)).Where(r => r.ExceptionId == wanted).ToImmutableArray();
        return rows.IsEmpty
            ? (null, $"no item of {control.Id} has the exception id {PrintableText.Of(id, 200)}; see: auditcli show BUNDLE {control.Id}")
            : (new OfItems(control, rows), null);
    }

    private static (Selection?, string?) OfFile(OpenedBundle bundle, string reference)
    {
        var (file, row) = reference.Split('#', 2) is [var f, var p] ? (f, p.TrimStart('/')) : (reference, null);
        if (!bundle.Files.Has(file))
            return (null, $"the bundle has no file {PrintableText.Of(file, 200)}{NearMiss.Hint(file, bundle.Files.Paths.Where(p => p.StartsWith(Inputs, StringComparison.Ordinal)))}");
        if (row is null)
            return (new OfInput(file, null), null);
        return long.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? (new OfInput(file, number), null)
            : (null, $"'{PrintableText.Of(row, 200)}' is no row of a file; rows are counted from 1");
    }

    private static string Near(string item, IEnumerable<string> items) => NearMiss.Of(item, items.Take(10_000)) is { } near ? $"; did you mean '{PrintableText.Of(near, 200)}'?" : "";
}
