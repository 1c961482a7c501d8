using System.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>The forms of values in tables, for what is stated about a table elsewhere.</summary>
public static class CellForms
{
    /// <summary>How many digits a decimal may have after the point.</summary>
    public const int DecimalPlaces = CellFormat.DecimalPlaces;

    /// <summary>Whether text is a decimal as tables hold it: plain, at most 38 digits, 9 of them after the point.</summary>
    public static bool IsDecimal(string text) => CellFormat.IsDecimal(Encoding.UTF8.GetBytes(text));
}
