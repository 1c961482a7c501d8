using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Builds the identity policy with exactly the actions that operations need
/// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
/// </summary>
internal static class AwsPermissions
{
    private const string Identity = "sts:GetCallerIdentity";
    private const string Regions = "ec2:DescribeRegions";

    /// <summary>The size limit of a managed policy in characters; AWS does not count white space.</summary>
    private const int LongestPolicy = 6144;

    /// <param name="operations">The operations that are collected.</param>
    /// <param name="targets">The targets that are collected from; none means one target without settings.</param>
    public static PermissionDocument Document(ImmutableArray<Operation> operations, ImmutableArray<Target> targets)
    {
        var catalogue = new AwsCatalogue();
        var table = PermissionTable.Read();
        var everyRegion = targets.IsEmpty || targets.Any(t => !t.Settings.TryGetValue("regions", out var given) || given is ["enabled"]);
        string[] connecting = [Identity, .. everyRegion ? [Regions] : Array.Empty<string>(), .. targets.Any(IsOrganization) ? Organization.Operations : []];
        var collected = operations.SelectMany(o => o.Reads).Where(o => o != TrailFiles.Operation.Name).ToImmutableHashSet(StringComparer.Ordinal);
        var asked = collected.Concat(connecting).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var actions = new SortedSet<string>(StringComparer.Ordinal);
        var unmapped = ImmutableArray.CreateBuilder<UnmappedOperation>();
        var effects = ImmutableArray.CreateBuilder<OperationSideEffect>();
        foreach (var name in asked)
        {
            var (found, reason) = catalogue.Find(name) is var (service, operation)
                ? table.Actions(service.Name, operation.Name)
                : ([], "it is not in the catalogue");
            actions.UnionWith(found);
            if (reason is not null)
                unmapped.Add(new(name, reason));
            if (catalogue.Find(name)?.Operation.SideEffect is { } effect)
                effects.Add(new(name, effect));
        }
        var text = Policy(actions);
        var notes = Notes(text, actions.Count, targets, connecting.Except(collected));
        if (operations.Any(o => o.Name == TrailFiles.Operation.Name))
        {
            notes = notes.Add($"{TrailFiles.Operation.Name} also needs s3:GetObject on the files of the trail alone, "
                + "arn:aws:s3:::BUCKET/PREFIX/AWSLogs/*, and kms:Decrypt on the key that encrypts them; "
                + "the policy does not grant it, because the bucket is not known");
        }
        return new("IAM policy", text, new(notes, effects.ToImmutable(), unmapped.ToImmutable()), HoldsRemarks: false);
    }

    private static ImmutableArray<string> Notes(string text, int actions, ImmutableArray<Target> targets, IEnumerable<string> onlyToConnect)
    {
        var notes = ImmutableArray.CreateBuilder<string>();
        notes.Add(actions == 0
            ? "it grants nothing, and IAM takes no policy without a statement"
            : "use: aws iam create-policy --policy-name AuditCliReader --policy-document file://FILE, "
                    + "and attach it to the role or user of the target, in every account");
        notes.Add($"{Identity}, which every run calls first, needs no permission");
        if (onlyToConnect.Contains(Regions))
            notes.Add($"{Regions} is called for targets with regions: enabled (the default), and not for those with a list of regions");
        foreach (var target in targets.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            var roles = target.Settings.GetValueOrDefault("role_arn", []);
            if (roles is [.., var last] && !IsOrganization(target))
                notes.Add($"target {target.Name}: the policy belongs to {last}; the identity that assumes that role needs sts:AssumeRole on it");
            if (roles.Length > 1)
                notes.Add($"target {target.Name}: its roles are assumed one after another; each needs sts:AssumeRole on the next");
            if (IsOrganization(target))
            {
                notes.Add($"target {target.Name}: the policy belongs to the role {target.Setting("role_name")} of every account, "
                    + $"and to {(roles.IsEmpty ? "the target's own credentials" : roles[^1])} in the management account or a delegated administrator's, "
                    + $"which is the only one to need the actions of organizations, and sts:AssumeRole on {Organization.RoleArn(target, "arn:aws:", "*")}");
            }
        }
        notes.Add("a service control policy, a permissions boundary, or a policy of a bucket or key can deny what this policy allows");
        var size = text.Count(c => !char.IsWhiteSpace(c));
        if (size > LongestPolicy)
        {
            notes.Add($"it has {size} characters and AWS takes {LongestPolicy} in a managed policy: "
                + "make one for some of the controls at a time, with --control");
        }
        return notes.ToImmutable();
    }

    private static bool IsOrganization(Target target) => target.Setting("organization") == "true";

    private static string Policy(IEnumerable<string> actions)
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content, new() { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("Version", "2012-10-17");
            json.WriteStartArray("Statement");
            foreach (var service in actions.GroupBy(a => a.Split(':')[0], StringComparer.Ordinal))
            {
                json.WriteStartObject();
                json.WriteString("Sid", "Read" + string.Concat(service.Key.Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..])));
                json.WriteString("Effect", "Allow");
                json.WriteStartArray("Action");
                foreach (var action in service)
                    json.WriteStringValue(action);
                json.WriteEndArray();
                json.WriteString("Resource", "*");
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(content.ToArray()) + "\n";
    }
}
