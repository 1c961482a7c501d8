using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Defines the SQL function <c>item(part, ...)</c>, which joins names to an item so that different names never give the same
/// item: parts are joined by one blank, and inside a part every percent sign, space, control and invisible character is
/// percent-encoded (RFC 3986, UTF-8). Names without such characters stay unchanged. A NULL part is left out.
/// </summary>
/// <remarks>It is a macro of the engine's own functions, so that anybody can run a control's SQL with DuckDB alone.</remarks>
internal static class ItemFunction
{
    public const string Name = "item";

    /// <summary>The largest number of parts.</summary>
    public const int MostParts = 8;

    /// <summary>
    /// The name of the inner macro. Evidence names do not begin with an underscore, and the gate admits no function that does.
    /// </summary>
    private const string Part = "_item_part";

    /// <summary>The statements that define it, run before the engine is locked.</summary>
    public static string Definition { get; } =
        $"""
        CREATE MACRO {Part}(part) AS CASE
            WHEN regexp_matches(CAST(part AS VARCHAR), '{Encoded}') THEN array_to_string(
                [CASE WHEN regexp_matches(letter, '{Encoded}') THEN url_encode(letter) ELSE letter END FOR letter IN string_split(CAST(part AS VARCHAR), '')], '')
            ELSE CAST(part AS VARCHAR) END;
        CREATE MACRO {Name}{string.Join(", ", Enumerable.Range(1, MostParts).Select(Overload))};
        """;

    private static string Encoded => $"[%{InvisibleText.CharacterClass}]";

    private static string Overload(int parts)
    {
        var names = Enumerable.Range(1, parts).Select(n => $"part_{n}").ToArray();
        return $"({string.Join(", ", names)}) AS nullif(concat_ws(' ', {string.Join(", ", names.Select(n => $"{Part}({n})"))}), '')";
    }
}
