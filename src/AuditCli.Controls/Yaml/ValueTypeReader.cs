using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Reads the types that a control declares, for parameters and the columns of files: <c>text</c>, <c>integer</c> and so on, and two for
/// numbers of which no digit may be lost, <c>decimal(18)</c> and <c>whole</c>.
/// </summary>
internal static partial class ValueTypeReader
{
    private const string Scaled = "decimal(18)";

    /// <summary>The words for all types, with an example of a scale.</summary>
    public static ImmutableArray<string> Words { get; } =
        [.. ControlWords.ValueTypes.Select(t => t.Word).SelectMany(w => w == "decimal" ? new[] { "whole", w, Scaled } : [w])];

    /// <summary>Returns a column of the type that the node names; null after a fault.</summary>
    /// <param name="words">Those of <see cref="Words"/> that are allowed here.</param>
    public static Column? Read(string name, YamlNode node, string label, ImmutableArray<string> words, FaultList faults)
    {
        if (node is YamlScalar { Text: var text } && CoreSchema.KindOf((YamlScalar)node) == ScalarKind.Text)
        {
            if (text == TypedValue.Word(ColumnType.Whole))
                return new(name, ColumnType.Whole);
            if (ScaledForm().Match(text) is { Success: true } scaled)
            {
                var scale = int.Parse(scaled.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
                if (scale <= ExactNumber.DecimalDigits)
                    return new(name, ColumnType.Decimal) { Scale = scale };
                faults.Form(
                    node.Position,
                    $"{label} is '{text}', but a decimal has {ExactNumber.DecimalDigits} digits in all, from 0 to {ExactNumber.DecimalDigits} of them "
                        + $"after the point: write {Scaled}, or 'whole' for a whole number of more digits");
                return null;
            }
            if (words.Contains(text) && text != Scaled)
                return new(name, ControlWords.ValueTypes.Single(t => t.Word == text).Value);
        }
        NodeReader.Word(node, label, words, faults);
        return null;
    }

    [GeneratedRegex(@"^decimal\((0|[1-9][0-9]{0,3})\)\z", RegexOptions.CultureInvariant)]
    private static partial Regex ScaledForm();
}
