using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// What a request for a list restricts it to. The API server sends nothing else, so an object outside shows that something between answered
/// another question, and that objects inside may be missing.
/// </summary>
/// <param name="Namespace">Null for all namespaces.</param>
/// <param name="Labels">Null without a selector.</param>
/// <param name="Fields">The fields of the metadata that must have a value, such as <c>name</c>.</param>
internal sealed record AskedObjects(string? Namespace, LabelSelector? Labels, IReadOnlyList<(string Field, string Value)> Fields)
{
    private const string Metadata = "metadata.";

    /// <summary>Asks for everything.</summary>
    public static AskedObjects All { get; } = new(null, null, []);

    /// <param name="labels">The parameter <c>labelSelector</c>; null if it is not given.</param>
    /// <param name="fields">The parameter <c>fieldSelector</c>, of which the terms about metadata are compared.</param>
    public static AskedObjects Of(string? ns, string? labels, string? fields) => new(
        ns,
        labels is null ? null : LabelSelector.Parse(labels),
        [
            .. (fields ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Where(t => t.StartsWith(Metadata, StringComparison.Ordinal)).Select(t => t.Split('=', 2))
                .Where(t => t.Length == 2 && !t[0].EndsWith('!')).Select(t => (t[0][Metadata.Length..], t[1].TrimStart('='))),
        ]);

    /// <summary>Returns how an object is not one that was asked for; null if it is.</summary>
    public string? WhyNot(JsonElement item)
    {
        var metadata = Members.Of(item, "metadata");
        var name = PrintableText.Of(JsonMember.Text(metadata, "name") ?? "without a name", 200);
        if (Namespace is not null && JsonMember.Text(metadata, "namespace") is var ns && ns != Namespace)
            return $"has {name} of the namespace {PrintableText.Of(ns ?? "none", 200)}, where {Namespace} was asked for";
        foreach (var (field, value) in Fields)
        {
            if (JsonMember.Text(metadata, field) != value)
                return $"has {name}, whose {field} is not {value}";
        }
        try
        {
            return Labels?.Matches(LabelSelector.Labels(Members.Of(metadata, "labels"))) == false ? $"has {name}, which the label selector excludes" : null;
        }
        catch (FormatException e)
        {
            return $"has {name}, whose labels cannot be read: {e.Message}";
        }
    }
}
