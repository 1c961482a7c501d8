using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Tests;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>A valid response whose rows can be changed: the text before the rows, each row, and the text after them.</summary>
internal sealed record HonestRows(string Operation, string Before, ImmutableArray<string> Rows, string After);

/// <summary>
/// Changes one member of one row at a time and collects again, as far as the table. If the evidence is still complete, all other rows and
/// columns must be unchanged, and the column of the changed member must hold the new value, or be absent if there is none. No value may be
/// converted into another. A duplicate member is never complete, nor is a member of the row itself in another case.
/// </summary>
/// <param name="collect">Collects an operation with the current body.</param>
internal sealed class ChangedRows(ITestOutputHelper output, Func<string, Task<(EvidenceItem Item, ImmutableArray<JsonElement> Rows)>> collect)
{
    private const int Seed = 20261129;

    /// <summary>The column that refers to the source of a row; it differs in every collection.</summary>
    private const string Reference = "_ref";

    /// <summary>The current body of the response.</summary>
    public string Body { get; private set; } = "";

    /// <param name="columns">Returns the columns that result from a member of a row, including a new one.</param>
    /// <param name="leavesOut">Whether members below a column are dropped if the source's model does not have them.</param>
    public async Task AreKeptAsTheyWereSaidAsync(IReadOnlyList<HonestRows> lists, Func<string, IEnumerable<string>> columns, bool leavesOut)
    {
        var lot = new Random(Seed);
        var whole = new ImmutableArray<JsonElement>[lists.Count];
        var (complete, tried) = (0, LongRun.IsWhole ? 5_000 : 200);
        for (var n = 0; n < tried; n++)
        {
            var which = lot.Next(lists.Count);
            var list = lists[which];
            if (whole[which].IsDefault)
            {
                Body = list.Before + string.Join(',', list.Rows) + list.After;
                var (honest, asItIs) = await collect(list.Operation);
                Assert.True(honest.Outcome == CollectionOutcome.Complete && asItIs.Length == list.Rows.Length, $"{list.Operation}: {honest.Message}");
                whole[which] = asItIs;
            }
            var row = lot.Next(list.Rows.Length);
            var mutation = RowMutation.Of(lot, list.Rows[row]);
            Body = list.Before + string.Join(',', list.Rows.SetItem(row, mutation.Row)) + list.After;
            var (item, rows) = await collect(list.Operation);
            if (item.Outcome != CollectionOutcome.Complete)
                continue;
            complete++;
            var what = $"{list.Operation}, {mutation}";
            Assert.False(mutation.Change == Change.Duplicate || mutation is { Change: Change.Case, IsDeep: false }, what);
            Assert.True(rows.Length == whole[which].Length, what);
            for (var k = 0; k < rows.Length; k++)
                Assert.True(SameBut(whole[which][k], rows[k], k == row ? [.. columns(mutation.Member), Reference] : [Reference]), what);
            Assert.True(
                Holds(
                    rows[row], mutation.Member, mutation.Said, item.Columns.FirstOrDefault(c => c.Name == mutation.Member)?.Type,
                    leavesOut),
                $"{what} gives {rows[row]}");
        }

        Assert.InRange(complete, tried / 20, tried);
        output.WriteLine($"{tried} changes, {complete} of them complete");
    }

    private static bool SameBut(JsonElement before, JsonElement after, string[] columns) =>
        before.EnumerateObject().Concat(after.EnumerateObject()).Select(m => m.Name).Except(columns)
            .All(name => before.TryGetProperty(name, out var was) && after.TryGetProperty(name, out var now) && JsonElement.DeepEquals(was, now));

    private static bool Holds(JsonElement row, string column, JsonElement? said, ColumnType? type, bool leavesOut) => type is null
        || (said is not { ValueKind: not JsonValueKind.Null } value ? !row.TryGetProperty(column, out _)
            : row.TryGetProperty(column, out var found) && (IsPart(found, value, leavesOut) || IsReading(found, value, type.Value)));

    /// <summary>Returns whether a value equals the one in the response, or the part of it that the model knows.</summary>
    private static bool IsPart(JsonElement found, JsonElement said, bool leavesOut) => (found.ValueKind, said.ValueKind) switch
    {
        (JsonValueKind.Object, JsonValueKind.Object) when leavesOut =>
            found.EnumerateObject().All(m => said.TryGetProperty(m.Name, out var other) && IsPart(m.Value, other, leavesOut)),
        (JsonValueKind.Array, JsonValueKind.Array) when leavesOut =>
            found.GetArrayLength() == said.GetArrayLength() && found.EnumerateArray().Zip(said.EnumerateArray()).All(p => IsPart(p.First, p.Second, leavesOut)),
        _ => JsonElement.DeepEquals(found, said),
    };

    /// <summary>Returns whether a value is another form of the same value: an integer as text, or a time as seconds or as a date.</summary>
    private static bool IsReading(JsonElement found, JsonElement said, ColumnType type) => type switch
    {
        ColumnType.Integer => said.ValueKind == JsonValueKind.String && found.ValueKind == JsonValueKind.Number && found.GetRawText() == said.GetString(),
        ColumnType.Timestamp => found.ValueKind == JsonValueKind.String && DateTimeOffset.Parse(found.GetString()!, CultureInfo.InvariantCulture) is var instant
            && (double.TryParse(said.ToString(), CultureInfo.InvariantCulture, out var seconds) ? instant == DateTimeOffset.UnixEpoch.AddSeconds(seconds)
                : DateTimeOffset.TryParse(said.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day) && day == instant),
        _ => false,
    };
}
