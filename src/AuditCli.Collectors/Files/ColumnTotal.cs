using System.Globalization;
using System.Numerics;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Files;

/// <summary>The exact sum of a column of a supplied file, to compare with the total that its supplier states.</summary>
internal sealed class ColumnTotal(Column column)
{
    /// <summary>The most digits after the point that a decimal or a stated total has.</summary>
    private const int Places = ExactNumber.DecimalDigits;
    private BigInteger _sum;

    /// <summary>Whether a column has a total: it holds whole or decimal numbers.</summary>
    public static bool IsFor(Column column) => column.Type is ColumnType.Integer or ColumnType.Decimal or ColumnType.Whole;

    public void Add(JsonElement row)
    {
        if (row.TryGetProperty(column.Name, out var value))
            _sum += Scaled(JsonMember.TextOrRaw(value));
    }

    /// <summary>Returns the sum as a plain decimal if it is not the stated one; null if it is.</summary>
    /// <param name="stated">A plain decimal.</param>
    public string? IfNot(string stated) => Scaled(stated) == _sum ? null : Text(_sum);

    private static BigInteger Scaled(string number)
    {
        var point = number.IndexOf('.', StringComparison.Ordinal);
        var (whole, places) = point < 0 ? (number, "") : (number[..point], number[(point + 1)..]);
        return BigInteger.Parse(whole + places.PadRight(Places, '0'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    private static string Text(BigInteger sum)
    {
        var digits = BigInteger.Abs(sum).ToString(CultureInfo.InvariantCulture).PadLeft(Places + 1, '0');
        var places = digits[^Places..].TrimEnd('0');
        return $"{(sum.Sign < 0 ? "-" : "")}{digits[..^Places]}{(places.Length == 0 ? "" : ".")}{places}";
    }
}
