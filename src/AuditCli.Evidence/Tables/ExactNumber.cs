using System.Globalization;

namespace AuditCli.Evidence.Tables;

/// <summary>
/// Reads numbers of more digits than the machine's own numbers hold, without rounding: amounts with 18 decimals, and whole numbers of
/// 256 bits. A number that has more digits than its column does not fit. One that fits has one spelling, whatever file it comes from, so
/// that equal tables have equal bytes.
/// </summary>
public static class ExactNumber
{
    /// <summary>The digits of a decimal, before and after the point together.</summary>
    public const int DecimalDigits = 38;

    /// <summary>The digits of the longest whole number; the SQL engine takes seconds for one of ten times as many.</summary>
    public const int WholeDigits = 10_000;

    /// <summary>
    /// Returns a decimal without the zeros at the end of its places, and zero without a sign; null if it is no plain decimal literal, or
    /// has more digits than fit.
    /// </summary>
    /// <param name="scale">How many digits there may be after the point, from 0 to <see cref="DecimalDigits"/>.</param>
    public static string? Decimal(ReadOnlySpan<char> text, int scale)
    {
        var point = text.IndexOf('.');
        var places = point < 0 ? [] : text[(point + 1)..];
        if ((point >= 0 && places.IsEmpty) || places.Length > scale || places.ContainsAnyExceptInRange('0', '9')
            || !TryWhole(point < 0 ? text : text[..point], out var negative, out var digits)
            || (digits is not "0" && digits.Length > DecimalDigits - scale))
        {
            return null;
        }
        places = places.TrimEnd('0');
        var sign = negative && (digits is not "0" || !places.IsEmpty) ? "-" : "";
        return places.IsEmpty ? $"{sign}{digits}" : $"{sign}{digits}.{places}";
    }

    /// <summary>
    /// Returns a whole number, and zero without a sign; null if it is no plain literal, or has more than <see cref="WholeDigits"/> digits.
    /// </summary>
    public static string? Whole(ReadOnlySpan<char> text) =>
        TryWhole(text, out var negative, out var digits) && digits.Length <= WholeDigits
            ? negative && digits is not "0" ? $"-{digits}" : digits.ToString()
            : null;

    /// <summary>Returns the one spelling of a number in an exact column; null if it does not fit.</summary>
    /// <exception cref="ArgumentException">The column is not exact.</exception>
    public static string? In(Column column, ReadOnlySpan<char> text) =>
        column.Type == ColumnType.Whole ? Whole(text)
        : column.Scale is { } scale ? Decimal(text, scale)
        : throw new ArgumentException($"'{column.Name}' is not exact", nameof(column));

    /// <summary>Describes what fits an exact column, as the end of a sentence.</summary>
    public static string Described(Column column)
    {
        if (column.Scale is not { } scale)
            return string.Create(CultureInfo.InvariantCulture, $"a whole number of at most {WholeDigits} digits");
        var before = DecimalDigits - scale;
        return string.Create(CultureInfo.InvariantCulture, $"a decimal number of at most {before} digits before the point and {scale} after it");
    }

    private static bool TryWhole(ReadOnlySpan<char> text, out bool negative, out ReadOnlySpan<char> digits)
    {
        negative = text.StartsWith('-');
        digits = negative ? text[1..] : text;
        return !digits.IsEmpty && !digits.ContainsAnyExceptInRange('0', '9') && (digits.Length == 1 || digits[0] != '0');
    }
}
