using System.Collections.Frozen;
using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// The functions that control SQL may call, selected by hand: each is deterministic, reads only its arguments, and returns no
/// more than a small multiple of their size. Functions are left out on purpose when they grow a value from a number (range,
/// repeat, lpad, printf widths), read the clock, session or settings, or recurse into JSON without a bound (json_structure).
/// </summary>
public static class SqlFunctions
{
    /// <summary>The functions that AuditCli defines.</summary>
    public static ImmutableArray<string> Own { get; } = [InternetFunctions.From, InternetFunctions.To, ItemFunction.Name];

    /// <summary>Aggregates whose result does not depend on the order of rows; as windows they need no ORDER BY.</summary>
    public static FrozenSet<string> UnorderedAggregates { get; } = Set(
        "count", "count_star", "count_if", "countif", "sum", "min", "max", "avg", "mean", "bool_and", "bool_or",
        "bit_and", "bit_or", "bit_xor", "median", "quantile_cont", "quantile_disc", "stddev", "stddev_pop", "stddev_samp",
        "variance", "var_pop", "var_samp");

    /// <summary>Aggregates that need ORDER BY inside; without it their result would be arbitrary.</summary>
    public static FrozenSet<string> OrderedAggregates { get; } = Set(
        "list", "array_agg", "string_agg", "group_concat", "listagg", "first", "last", "any_value", "arbitrary",
        "arg_max", "arg_min", "max_by", "min_by", "json_group_array", "json_group_object");

    /// <summary>
    /// Functions that put a list in order. The parser makes <c>list_sort(list(x))</c> of <c>list(x ORDER BY x)</c>, so that the order is
    /// there and not inside.
    /// </summary>
    public static FrozenSet<string> Sorts { get; } = Set("list_sort", "array_sort", "list_reverse_sort");

    /// <summary>Aggregates that make a list.</summary>
    public static FrozenSet<string> ListAggregates { get; } = Set("list", "array_agg");

    /// <summary>Functions that exist only as window functions.</summary>
    public static FrozenSet<string> Windows { get; } = Set(
        "row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile", "lag", "lead",
        "first_value", "last_value", "nth_value");

    /// <summary>Functions that take the place of a table.</summary>
    public static FrozenSet<string> Tables { get; } = Set("unnest", "json_each");

    /// <summary>
    /// Functions of which an argument is a lambda, which may itself call only allowed functions. list_reduce is not among them: it can
    /// double a value at every element.
    /// </summary>
    public static FrozenSet<string> Lambdas { get; } = Set("list_filter", "list_transform");

    /// <summary>All functions that map one row's values to a value, including operators.</summary>
    public static FrozenSet<string> Scalars { get; } = Set([
        // operators, which the parser turns into functions
        "+", "-", "*", "/", "//", "%", "||", "&", "|", "~~", "!~~", "~~*", "!~~*", "~~~", "^@", "->", "->>", "@>", "<@", "&&",
        "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape", "nullif", "ifnull",
        // defined by AuditCli
        .. Own,
        // numbers
        "abs", "ceil", "ceiling", "floor", "round", "trunc", "sign", "mod", "greatest", "least", "divide", "add", "subtract",
        "multiply", "sqrt", "ln", "log", "log2", "log10", "exp", "isnan", "isinf", "isfinite", "even",
        // text
        "lower", "lcase", "upper", "ucase", "length", "len", "char_length", "character_length", "strlen", "trim", "ltrim", "rtrim",
        "left", "right", "substring", "substr", "replace", "translate", "reverse", "concat", "concat_ws", "contains",
        "starts_with", "prefix", "ends_with", "suffix", "position", "instr", "strpos", "split", "str_split", "string_split",
        "string_to_array", "split_part", "regexp_matches", "regexp_full_match", "regexp_extract", "regexp_extract_all",
        "regexp_replace", "regexp_split_to_array", "string_split_regex", "str_split_regex", "regexp_escape", "ascii", "unicode",
        "chr", "strip_accents", "nfc_normalize", "md5", "sha256", "hex", "to_hex", "unhex", "from_hex", "base64", "to_base64",
        "from_base64", "encode", "decode", "url_encode", "url_decode", "levenshtein", "editdist3", "hamming", "jaro_winkler_similarity",
        // dates and instants, all of them from arguments
        "date_diff", "datediff", "date_sub", "datesub", "date_add", "date_trunc", "datetrunc", "date_part", "datepart",
        "year", "quarter", "month", "week", "weekofyear", "yearweek", "isoyear", "day", "dayofmonth", "dayofweek", "isodow",
        "weekday", "dayofyear", "dayname", "monthname", "hour", "minute", "second", "millisecond", "microsecond", "last_day",
        "make_date", "make_timestamp", "make_timestamptz", "make_time", "epoch", "epoch_ms", "epoch_us", "epoch_ns", "to_timestamp",
        "strftime", "strptime", "try_strptime", "time_bucket", "timezone", "to_years", "to_quarters", "to_months", "to_weeks",
        "to_days", "to_hours", "to_minutes", "to_seconds", "to_milliseconds", "to_microseconds",
        // JSON
        "json_extract", "json_extract_path", "json_extract_string", "json_extract_path_text", "json_value", "json_exists",
        "json_array_length", "json_type", "json_valid", "json_keys", "json_array", "json_object", "json", "to_json", "json_quote",
        "array_to_json", "row_to_json",
        // lists, structs and maps
        "list_value", "list_pack", "list_contains", "list_has", "array_contains", "array_has", "list_position", "list_indexof",
        "list_has_any", "array_has_any", "list_has_all", "array_has_all", "list_distinct", "array_distinct", "list_unique",
        "array_unique", "list_sort", "array_sort", "list_reverse_sort", "list_reverse", "array_reverse", "list_concat", "array_concat",
        "list_cat", "list_intersect", "array_intersect", "list_extract", "list_element", "array_extract", "array_slice", "list_slice",
        "list_append", "list_prepend", "array_length", "array_to_string", "list_any_value", "list_sum", "list_min", "list_max", "list_avg",
        "list_count", "list_bool_and", "list_bool_or", "flatten", "cardinality", "struct_pack", "struct_extract", "row", "map",
        "map_keys", "map_values", "map_entries", "map_extract", "element_at", "unnest", "typeof"]);

    /// <summary>Whether control SQL may call it in the place of a value.</summary>
    public static bool Allows(string name) =>
        Scalars.Contains(name) || Lambdas.Contains(name) || UnorderedAggregates.Contains(name) || OrderedAggregates.Contains(name);

    /// <summary>Returns the statements that define a function of AuditCli; null for the engine's own.</summary>
    /// <param name="name">The name in lower case.</param>
    internal static string? DefinitionOf(string name) => name switch
    {
        InternetFunctions.From or InternetFunctions.To => InternetFunctions.Definition,
        ItemFunction.Name => ItemFunction.Definition,
        _ => null,
    };

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}
