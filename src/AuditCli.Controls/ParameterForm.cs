using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>The values that a parameter, or each entry of its list, may have, beyond the restriction to its type.</summary>
public sealed record ParameterForm
{
    /// <summary>Every value of the type.</summary>
    public static ParameterForm Any { get; } = new();

    /// <summary>For a number, date or timestamp: the least allowed value, of the type's JSON kind.</summary>
    public JsonElement? Min { get; init; }

    /// <summary>The greatest allowed value.</summary>
    public JsonElement? Max { get; init; }

    /// <summary>For a text: the allowed words; empty for any text.</summary>
    public ImmutableArray<string> OneOf { get; init; } = [];

    /// <summary>For a text: the regular expression that must match it from beginning to end.</summary>
    public string? Pattern { get; init; }

    /// <summary>For a text that is a list: the form of its entries. The outer form then has no other restriction.</summary>
    public ParameterList? List { get; init; }

    public bool SaysNothing => Min is null && Max is null && OneOf.IsEmpty && Pattern is null && List is null;

    /// <summary>
    /// Describes what a value must be, such as <c>an integer from 1 to 365</c>; only the type where the form has no restriction.
    /// </summary>
    public string Words(Column type)
    {
        if (List is not { } list)
            return (OneOf.IsEmpty ? One(type) + Range(type) : "one of " + string.Join(", ", OneOf)) + Matching("matches");
        var instead = list.Or.IsEmpty ? "" : $", or {string.Join(" or ", list.Or)} alone";
        return $"a list of {list.Entries.Entries(list.Of)}, separated by commas{instead}{(list.MayBeEmpty ? "; it may be empty" : "")}";
    }

    private string Entries(Column type) =>
        (OneOf.IsEmpty ? Many(type) + Range(type) : "words out of " + string.Join(", ", OneOf)) + Matching("match");

    private string Matching(string verb) => Pattern is null ? "" : $" that {verb} {Pattern} from beginning to end";

    private string Range(Column type)
    {
        var isMoment = type.Type is ColumnType.Date or ColumnType.Timestamp;
        return (Min, Max) switch
        {
            ({ } min, { } max) => $" from {min} to {max}",
            ({ } min, null) => isMoment ? $" not before {min}" : $" of at least {min}",
            (null, { } max) => isMoment ? $" not after {max}" : $" of at most {max}",
            _ => "",
        };
    }

    private static string One(Column type) => type.Type switch
    {
        ColumnType.Whole => "a whole number",
        ColumnType.Integer => "an integer",
        ColumnType.Timestamp => "a time",
        ColumnType.Text => "text",
        _ => "a " + TypedValue.Word(type),
    };

    private static string Many(Column type) => type.Type switch
    {
        ColumnType.Whole => "whole numbers",
        ColumnType.Decimal when type.IsExact => $"numbers of type {TypedValue.Word(type)}",
        ColumnType.Timestamp => "times",
        _ => TypedValue.Word(type) + "s",
    };
}

/// <summary>The form of a text that is a list of entries, separated by single commas without white space.</summary>
/// <param name="Of">The type of each entry; SQL still sees the list as one text.</param>
/// <param name="Or">Words that are allowed instead of a list, such as <c>all</c>.</param>
/// <param name="MayBeEmpty">Whether the empty text is allowed as a list.</param>
public sealed record ParameterList(Column Of, ParameterForm Entries, ImmutableArray<string> Or, bool MayBeEmpty);
