using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Selects objects by labels, by the rules of Kubernetes' LabelSelector: all terms must hold, and a selector without terms matches every
/// object.
/// </summary>
/// <remarks>
/// Follows "Labels and Selectors" of the Kubernetes documentation: <c>NotIn</c> also holds if the label is absent.
/// </remarks>
internal sealed partial class LabelSelector
{
    private readonly ImmutableArray<(string Key, string Operator, ImmutableArray<string> Values)> _terms;

    private LabelSelector(ImmutableArray<(string, string, ImmutableArray<string>)> terms) => _terms = terms;

    /// <exception cref="FormatException">The value is not a valid selector; the message says why.</exception>
    public static LabelSelector Read(JsonElement selector)
    {
        var terms = ImmutableArray.CreateBuilder<(string, string, ImmutableArray<string>)>();
        Members.CheckNames(selector, "matchLabels", "matchExpressions");
        foreach (var label in Labels(Members.Of(selector, "matchLabels")))
            terms.Add((label.Key, "In", [label.Value]));
        foreach (var expression in Members.Objects(selector, "matchExpressions"))
        {
            if (JsonMember.Text(expression, "key") is not { } key)
                throw new FormatException("matchExpressions has no key");
            var named = JsonMember.Text(expression, "operator");
            if (named is not ("In" or "NotIn" or "Exists" or "DoesNotExist"))
                throw new FormatException($"matchExpressions has the unknown operator {named}");
            Members.CheckNames(expression, "values");
            terms.Add((key, named, Members.Texts(expression, "values")));
        }
        return new(terms.ToImmutable());
    }

    /// <summary>
    /// Reads the form of the parameter <c>labelSelector</c>: terms such as <c>app=ledger</c>, <c>tier!=web</c>, <c>zone in (a,b)</c>,
    /// <c>zone notin (c)</c>, <c>owner</c> and <c>!owner</c>, separated by commas.
    /// </summary>
    /// <returns>The selector; null for a text of another form, which the server refuses.</returns>
    public static LabelSelector? Parse(string text)
    {
        var terms = ImmutableArray.CreateBuilder<(string, string, ImmutableArray<string>)>();
        foreach (var term in Commas.Split(text).Select(t => t.Trim()).Where(t => t.Length > 0))
        {
            if (Term.Match(term) is not { Success: true } match)
                return null;
            ImmutableArray<string> values = match.Groups["set"].Success
                ? [.. match.Groups["set"].Value.Split(',', StringSplitOptions.TrimEntries)]
                : [match.Groups["value"].Value];
            terms.Add(match.Groups["sign"].Value switch
            {
                "" => (match.Groups["key"].Value, match.Groups["not"].Success ? "DoesNotExist" : "Exists", []),
                "!=" or "notin" => (match.Groups["key"].Value, "NotIn", values),
                _ => (match.Groups["key"].Value, "In", values),
            });
        }
        return new(terms.ToImmutable());
    }

    /// <summary>Returns the labels of an object.</summary>
    /// <exception cref="FormatException">The value is not an object of texts.</exception>
    public static ImmutableDictionary<string, string> Labels(JsonElement labels) => labels.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => ImmutableDictionary<string, string>.Empty,
        JsonValueKind.Object when labels.EnumerateObject().All(l => l.Value.ValueKind == JsonValueKind.String) =>
            labels.EnumerateObject().ToImmutableDictionary(l => l.Name, l => l.Value.GetString()!, StringComparer.Ordinal),
        _ => throw new FormatException("labels are not texts by name"),
    };

    public bool Matches(ImmutableDictionary<string, string> labels) => _terms.All(term =>
    {
        var has = labels.TryGetValue(term.Key, out var value);
        return term.Operator switch
        {
            "In" => has && term.Values.Contains(value!),
            "NotIn" => !has || !term.Values.Contains(value!),
            "Exists" => has,
            _ => !has,
        };
    });

    /// <summary>The commas between terms, and not those of a set.</summary>
    [GeneratedRegex(@",(?![^(]*\))")]
    private static partial Regex Commas { get; }

    [GeneratedRegex(@"^(?<not>!)?\s*(?<key>[^\s=!,()]+)\s*(?:(?<sign>==|=|!=)\s*(?<value>[^\s,()]*)|(?<sign>in|notin)\s*\((?<set>[^()]*)\))?$")]
    private static partial Regex Term { get; }
}
