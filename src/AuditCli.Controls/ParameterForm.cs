using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>Which values a parameter, or each entry of its list, may have beside what its type says.</summary>
public sealed record ParameterForm
{
    /// <summary>Every value of the type.</summary>
    public static ParameterForm Any { get; } = new();

    /// <summary>Of a number, date or timestamp: the least, which is allowed itself. Of the JSON kind that the type has.</summary>
    public JsonElement? Min { get; init; }

    /// <summary>The greatest, which is allowed itself.</summary>
    public JsonElement? Max { get; init; }

    /// <summary>Of a text: the words it may be; empty for any.</summary>
    public ImmutableArray<string> OneOf { get; init; } = [];

    /// <summary>Of a text: the regular expression that it matches from beginning to end.</summary>
    public string? Pattern { get; init; }

    /// <summary>Of a text that is a list: the form of its entries. The form around it then says nothing else.</summary>
    public ParameterList? List { get; init; }

    public bool SaysNothing => Min is null && Max is null && OneOf.IsEmpty && Pattern is null && List is null;

    /// <summary>What a value must be, such as <c>an integer from 1 to 365</c>; of the type alone where the form says nothing.</summary>
    public string Words(ColumnType type) => List is { } list
        ? $"a list of {list.Entries.Entries(list.Of)}, separated by commas{(list.Or.IsEmpty ? "" : $", or {string.Join(" or ", list.Or)} alone")}{(list.MayBeEmpty ? "; it may be empty" : "")}"
        : (OneOf.IsEmpty ? One(type) + Range(type) : "one of " + string.Join(", ", OneOf)) + Matching("matches");

    private string Entries(ColumnType type) =>
        (OneOf.IsEmpty ? Many(type) + Range(type) : "words out of " + string.Join(", ", OneOf)) + Matching("match");

    private string Matching(string verb) => Pattern is null ? "" : $" that {verb} {Pattern} from beginning to end";

    private string Range(ColumnType type)
    {
        var isMoment = type is ColumnType.Date or ColumnType.Timestamp;
        return (Min, Max) switch
        {
            ({ } min, { } max) => $" from {min} to {max}",
            ({ } min, null) => isMoment ? $" not before {min}" : $" of at least {min}",
            (null, { } max) => isMoment ? $" not after {max}" : $" of at most {max}",
            _ => "",
        };
    }

    private static string One(ColumnType type) => type switch
    {
        ColumnType.Integer => "an integer",
        ColumnType.Timestamp => "a time",
        ColumnType.Text => "text",
        _ => "a " + TypedValue.Word(type),
    };

    private static string Many(ColumnType type) => type switch
    {
        ColumnType.Timestamp => "times",
        _ => TypedValue.Word(type) + "s",
    };
}

/// <summary>The form of a text that is a list of entries with one comma between each two, and nothing around them.</summary>
/// <param name="Of">The type of each entry; SQL sees the list as one text all the same.</param>
/// <param name="Or">The words that may stand instead of a list, such as <c>all</c>.</param>
/// <param name="MayBeEmpty">Whether the empty text is a list too.</param>
public sealed record ParameterList(ColumnType Of, ParameterForm Entries, ImmutableArray<string> Or, bool MayBeEmpty);
