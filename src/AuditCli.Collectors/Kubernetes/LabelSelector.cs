using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Which labels are meant, by the rules of Kubernetes' LabelSelector: all terms must hold, and without a term every object is meant.
/// </summary>
/// <remarks>Follows "Labels and Selectors" of the Kubernetes documentation: <c>NotIn</c> also holds where the label is not there at all.</remarks>
internal sealed class LabelSelector
{
    private readonly ImmutableArray<(string Key, string Operator, ImmutableArray<string> Values)> _terms;

    private LabelSelector(ImmutableArray<(string, string, ImmutableArray<string>)> terms) => _terms = terms;

    /// <exception cref="FormatException">It is not a selector; the message says how.</exception>
    public static LabelSelector Read(JsonElement selector)
    {
        var terms = ImmutableArray.CreateBuilder<(string, string, ImmutableArray<string>)>();
        foreach (var label in Labels(Members.Of(selector, "matchLabels")))
            terms.Add((label.Key, "In", [label.Value]));
        foreach (var expression in Members.Objects(selector, "matchExpressions"))
        {
            if (Members.Text(expression, "key") is not { } key)
                throw new FormatException("matchExpressions has no key");
            var named = Members.Text(expression, "operator");
            if (named is not ("In" or "NotIn" or "Exists" or "DoesNotExist"))
                throw new FormatException($"matchExpressions has the unknown operator {named}");
            terms.Add((key, named, Members.Texts(expression, "values")));
        }
        return new(terms.ToImmutable());
    }

    /// <summary>Labels as an object of a cluster has them.</summary>
    /// <exception cref="FormatException">They are not texts by name.</exception>
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
}
