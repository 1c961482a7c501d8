using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Lookup;

/// <summary>What the arguments of <c>show</c> select in a bundle.</summary>
internal abstract partial record Selection
{
    private const string RecordPrefix = "urn:uuid:";
    private const string Mark = "/X/";
    private const int WholeId = 12;
    private const int MostListed = 5;

    private Selection()
    {
    }

    /// <summary>Nothing was named: selects all controls.</summary>
    public sealed record Everything : Selection;

    public sealed record OfControl(ControlResult Control) : Selection;

    public sealed record OfTest(ControlResult Control, string Test) : Selection;

    /// <summary>An item of a control; one row per test and account that has the item.</summary>
    public sealed record OfItems(ControlResult Control, ImmutableArray<PopulationRow> Rows) : Selection;

    public sealed record OfEvidence(ImmutableArray<EvidenceItem> Items) : Selection;

    /// <param name="Pointer">JSON pointer (RFC 6901) into the response body; empty for the whole body.</param>
    public sealed record OfExchange(string Record, string Pointer) : Selection;

    /// <param name="Row">The record of the file, counted from 1; null for the beginning of the file.</param>
    public sealed record OfInput(string File, long? Row) : Selection;

    /// <summary>Returns what the words select; null and a message with the accepted forms if they select nothing.</summary>
    /// <exception cref="InvalidDataException">A file is not the one that was sealed.</exception>
    public static (Selection? Found, string? Wrong) Of(OpenedBundle bundle, ImmutableArray<string> words)
    {
        if (words is not [var first, ..])
            return (new Everything(), null);
        if (words.Length == 1 && ExceptionName.Match(first) is { Success: true } exception
            && OfException(bundle, first, exception) is { } selected)
        {
            return selected;
        }
        if (first.StartsWith(BundleLayout.InputsFolder, StringComparison.Ordinal) && words.Length == 1)
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
        if (words.Length == 1 && OfName(bundle, first) is { } named)
            return named;
        var known = bundle.Results.Controls.Select(c => c.Id).Concat(bundle.Index.Select(i => i.EvidenceId));
        return (null, $"the bundle has nothing called {PrintableText.Of(first, 200)}{NearMiss.Hint(first, known)}; "
            + "name a control, a control with a test and an item, an exception id, an evidence id, or a _ref");
    }

    private static (Selection?, string?) InControl(OpenedBundle bundle, ControlResult control, ImmutableArray<string> words)
    {
        if (words is not [var first, ..])
            return (new OfControl(control), null);
        var tests = OpenedBundle.TestsOf(control).ToImmutableArray();
        var test = tests.FirstOrDefault(t => t.Equals(first, StringComparison.OrdinalIgnoreCase));
        if (test is not null && words.Length == 1)
            return (new OfTest(control, test), null);
        if (words.Length > 2 || (test is null && words.Length == 2))
            return (null, $"{control.Id} has no test {PrintableText.Of(first, 200)}{NearMiss.Hint(first, tests)}; its tests are {string.Join(", ", tests)}");
        var item = words[^1];
        var rows = Called(item, () => (test is null ? tests : [test]).SelectMany(t => bundle.Rows(control.Id, t)));
        if (rows.Select(r => r.Item).Distinct(StringComparer.Ordinal).Take(2).Count() == 1)
            return (new OfItems(control, rows), null);
        if (!rows.IsEmpty)
            return (null, $"several items of {control.Id} have this ending; name one of them: {Listed(rows)}");
        var items = (test is null ? tests : [test]).SelectMany(t => bundle.Rows(control.Id, t)).Select(r => r.Item);
        return (null, $"{control.Id}{(test is null ? "" : $" {test}")} has no item {PrintableText.Of(item, 200)}{Near(item, items)}; "
            + $"see: auditcli show BUNDLE {control.Id} {test ?? tests.FirstOrDefault()}");
    }

    /// <summary>
    /// Returns the exception of an id, or of a prefix of its digits if only one has it; null if the text is only digits and matches none.
    /// </summary>
    private static (Selection?, string?)? OfException(OpenedBundle bundle, string given, Match id)
    {
        var (name, digits) = (id.Groups["control"].Value, id.Groups["digits"].Value);
        var controls = bundle.Results.Controls.Where(c => name.Length == 0 || c.Id.Equals(name, StringComparison.OrdinalIgnoreCase)).ToImmutableArray();
        if (controls.IsEmpty)
            return (null, $"the bundle has no control {PrintableText.Of(name, 200)}{NearMiss.Hint(name, bundle.Results.Controls.Select(c => c.Id))}");
        var found = controls
            .SelectMany(c => OpenedBundle.TestsOf(c).SelectMany(t => bundle.Rows(c.Id, t))
                .Where(r => r.Id[(c.Id.Length + Mark.Length)..].StartsWith(digits, StringComparison.OrdinalIgnoreCase))
                .Where(r => r.IsException || digits.Length == WholeId).Select(r => (Control: c, Row: r)))
            .ToImmutableArray();
        if (found.Select(f => f.Row.Id).Distinct(StringComparer.Ordinal).Take(2).Count() == 1)
            return (new OfItems(found[0].Control, [.. found.Select(f => f.Row)]), null);
        if (!found.IsEmpty)
        {
            var ids = found.Select(f => f.Row.Id).Distinct(StringComparer.Ordinal).Take(MostListed);
            return (null, $"several exceptions begin with {PrintableText.Of(given, 200)}: {string.Join(", ", ids)}");
        }
        return name.Length == 0 ? null
            : (null, $"no item of {controls[0].Id} has the exception id {PrintableText.Of(given, 200)}; see: auditcli show BUNDLE {controls[0].Id}");
    }

    /// <summary>Returns the item or table of a name without its control; null if there is none.</summary>
    private static (Selection?, string?)? OfName(OpenedBundle bundle, string name)
    {
        var tables = bundle.Index.Where(i => i.Names.Any(n => n.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).ToImmutableArray();
        if (tables.Select(t => t.EvidenceId).Distinct(StringComparer.Ordinal).Take(2).Count() == 1)
            return (new OfEvidence(tables), null);
        if (!tables.IsEmpty)
        {
            var ids = tables.Select(t => t.EvidenceId).Distinct(StringComparer.Ordinal).Take(MostListed);
            return (null, $"several tables are called {PrintableText.Of(name, 200)}; name one of them: {string.Join(", ", ids)}");
        }
        var rows = Called(name, () => bundle.Results.Controls.SelectMany(c => OpenedBundle.TestsOf(c).SelectMany(t => bundle.Rows(c.Id, t))));
        if (rows.IsEmpty)
            return null;
        if (rows.Select(r => (r.Control, r.Item)).Distinct().Take(2).Count() == 1)
            return (new OfItems(bundle.Results.Controls.First(c => c.Id == rows[0].Control), rows), null);
        return (null, $"several items are called {PrintableText.Of(name, 200)}; name one of them: {Listed(rows)}");
    }

    /// <summary>
    /// Returns the items that are equal to a name, else those equal ignoring case, else those that end with it after a slash, space or
    /// colon.
    /// </summary>
    private static ImmutableArray<PopulationRow> Called(string name, Func<IEnumerable<PopulationRow>> rows)
    {
        var (exactly, folded, ending) = (
            ImmutableArray.CreateBuilder<PopulationRow>(),
            ImmutableArray.CreateBuilder<PopulationRow>(),
            ImmutableArray.CreateBuilder<PopulationRow>());
        foreach (var row in rows().Where(r => name.Length > 0 && r.Item.EndsWith(name, StringComparison.OrdinalIgnoreCase)))
        {
            if (row.Item == name)
                exactly.Add(row);
            else if (row.Item.Length == name.Length)
                folded.Add(row);
            else if (row.Item[^(name.Length + 1)] is '/' or ' ' or ':')
                ending.Add(row);
        }
        return (exactly.Count > 0 ? exactly : folded.Count > 0 ? folded : ending).ToImmutable();
    }

    private static string Listed(ImmutableArray<PopulationRow> rows) =>
        string.Join(", ", rows.Select(r => $"{r.Control} {PrintableText.Of(r.Item, 200)}").Distinct(StringComparer.Ordinal).Take(MostListed));

    private static (Selection?, string?) OfFile(OpenedBundle bundle, string reference)
    {
        var (file, row) = reference.Split('#', 2) is [var f, var p] ? (f, p.TrimStart('/')) : (reference, null);
        if (!bundle.Files.Has(file))
            return (null, $"the bundle has no file {PrintableText.Of(file, 200)}{NearMiss.Hint(file, bundle.Files.Below(BundleLayout.InputsFolder))}");
        if (row is null)
            return (new OfInput(file, null), null);
        return long.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? (new OfInput(file, number), null)
            : (null, $"'{PrintableText.Of(row, 200)}' is not a row of a file; rows are counted from 1");
    }

    [GeneratedRegex("^(?:(?:(?<control>[^/]+)/)?X/)?(?<digits>[0-9a-f]{4,12})$", RegexOptions.IgnoreCase)]
    private static partial Regex ExceptionName { get; }

    private static string Near(string item, IEnumerable<string> items) =>
        NearMiss.Of(item, items.Take(10_000)) is { } near ? $"; did you mean '{PrintableText.Of(near, 200)}'?" : "";
}
