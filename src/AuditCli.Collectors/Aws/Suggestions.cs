using System.Collections.Immutable;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws;

/// <summary>Suggests names of the catalogue for a name that it does not contain.</summary>
internal static class Suggestions
{
    private const int Most = 5;

    /// <summary>Maps IAM service prefixes and AWS CLI service names to catalogue names where they differ.</summary>
    private static readonly ImmutableDictionary<string, string> IamPrefixes = new Dictionary<string, string>
    {
        ["elasticloadbalancing"] = "elbv2",
        ["monitoring"] = "cloudwatch",
        ["tag"] = "resourcegroupstaggingapi",
        ["sso"] = "sso-admin",
        ["states"] = "stepfunctions",
        ["elasticfilesystem"] = "efs",
        ["es"] = "opensearch",
        ["elasticmapreduce"] = "emr",
        ["servicequotas"] = "service-quotas",
        ["s3-control"] = "s3control",
        ["s3api"] = "s3",
        ["configservice"] = "config",
        ["deploy"] = "codedeploy",
    }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>Returns at most five suggestions, best first; each may be followed by a reason.</summary>
    public static ImmutableArray<string> For(AwsCatalogue catalogue, string name)
    {
        var parts = name.Split(':', 2);
        if (parts is not [var prefix, var wanted])
        {
            return
            [
                .. catalogue.ServiceNames.Select(s => catalogue.Service(s)!).SelectMany(s => Near(s, name))
                    .OrderBy(n => n.Distance).ThenBy(n => n.Name.Length).Take(Most).Select(n => n.Name),
            ];
        }
        if (catalogue.Service(prefix) is { } exact && exact.Refused.TryGetValue(wanted, out var reason))
            return [$"{name} is refused because {reason}"];
        var services = catalogue.Service(prefix) is { } known ? [known] : Services(catalogue, prefix);
        return
        [
            .. services.SelectMany(s => Near(s, wanted))
                .Concat(catalogue.ServiceNames.Where(s => services.All(k => k.Name != s)).Select(s => catalogue.Service(s)!)
                    .Where(s => s.Operation(wanted) is not null).Select(s => (Name: $"{s.Name}:{wanted}", Distance: 1)))
                .OrderBy(n => n.Distance).ThenBy(n => n.Name, StringComparer.Ordinal)
                .Take(Most)
                .Select(n => n.Name),
        ];
    }

    private static ServiceModel[] Services(AwsCatalogue catalogue, string prefix)
    {
        var plain = Plain(IamPrefixes.GetValueOrDefault(prefix, prefix));
        var same = catalogue.ServiceNames.Where(s => Plain(s) == plain).ToArray();
        var near = same.Length > 0 ? same : catalogue.ServiceNames.Where(s => EditDistance.Between(Plain(s), plain) <= 2).ToArray();
        return [.. near.Select(s => catalogue.Service(s)!)];
    }

    private static IEnumerable<(string Name, int Distance)> Near(ServiceModel service, string wanted) =>
        service.OperationNames
            .Select(o => (Name: $"{service.Name}:{o}", Distance: EditDistance.Between(o.ToLowerInvariant(), wanted.ToLowerInvariant())))
            .Where(n => n.Distance <= Math.Max(2, wanted.Length / 3));

    private static string Plain(string service) => string.Concat(service.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
