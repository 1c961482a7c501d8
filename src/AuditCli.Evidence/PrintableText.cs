using System.Globalization;

namespace AuditCli.Evidence;

/// <summary>Text of a stranger, such as the names in a bundle, that must not steer the terminal on which it is shown.</summary>
public static class PrintableText
{
    /// <summary>The text with control and format characters as <c>\uXXXX</c>.</summary>
    public static string Of(string text) => text.All(IsHarmless)
        ? text
        : string.Concat(text.Select(c => IsHarmless(c) ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")));

    private static bool IsHarmless(char c) => !char.IsControl(c) && char.GetUnicodeCategory(c) != UnicodeCategory.Format;
}
