using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// The case that detected each mutant when it was last tried, by control and place. It only saves time: a mutant that is not in the table, or
/// that its case no longer detects, is tried with all cases. <c>AUDITCLI_APPROVE=1</c> adds the mutants that a run tried.
/// </summary>
internal static class NoticedMutants
{
    // Readable, as the file is for people too; it is never put into a page.
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static string Table => Repository.Path("tests", "AuditCli.Tests", "Libraries", "NoticedMutants.json");

    /// <summary>Returns the name of the case for each known place of the control.</summary>
    public static ImmutableSortedDictionary<string, string> Of(string control) =>
        Read().GetValueOrDefault(control, ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    /// <summary>When approving, writes what was noticed, and drops places that the control no longer has.</summary>
    public static void Approve(string control, ImmutableHashSet<string> places, IEnumerable<(string Place, string Case)> noticed)
    {
        if (Environment.GetEnvironmentVariable("AUDITCLI_APPROVE") != "1")
            return;
        var known = Of(control).SetItems(noticed.OrderBy(n => n.Case, StringComparer.Ordinal).Select(n => KeyValuePair.Create(n.Place, n.Case)));
        known = known.RemoveRange(known.Keys.Where(p => !places.Contains(p)));
        File.WriteAllText(Table, JsonSerializer.Serialize(Read().SetItem(control, known), Format) + "\n");
    }

    private static ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>> Read()
    {
        var read = File.Exists(Table)
            ? JsonSerializer.Deserialize<SortedDictionary<string, SortedDictionary<string, string>>>(File.ReadAllText(Table))!
            : [];
        return read.ToImmutableSortedDictionary(
            c => c.Key, c => c.Value.ToImmutableSortedDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
    }
}
