using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Reads which AWS identities an EKS cluster admits, and as which users: one row for each entry of the configmap aws-auth. A cluster
/// without it has no rows.
/// </summary>
/// <remarks>
/// Follows "Grant IAM users and roles access to Kubernetes APIs" of the EKS user guide. It is the only configmap whose data is read: only
/// its three documented members, which hold names, become rows.
/// </remarks>
internal static class AwsAuth
{
    /// <summary>The only object that may be read by name.</summary>
    public const string Path = "/api/v1/namespaces/kube-system/configmaps/aws-auth";

    private const string Absent = "configmaps \"aws-auth\" not found";

    /// <summary>The configmap members that hold mappings, with the name of their identity member.</summary>
    private static readonly ImmutableArray<(string Member, string Arn)> Mappings = [("mapRoles", "rolearn"), ("mapUsers", "userarn")];

    private static readonly IDeserializer Yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();

    public static DerivedTable Table { get; } = new(
        "aws_auth",
        [
            new("source", ColumnType.Text), new("arn", ColumnType.Text), new("account", ColumnType.Text),
            new("username", ColumnType.Text), new("groups", ColumnType.Json),
        ],
        [],
        ReadAsync);

    private static async IAsyncEnumerable<Page> ReadAsync(KubernetesSession session, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await FindAsync(session, cancellationToken) is { } configmap)
        {
            foreach (var page in Pages(configmap))
                yield return page;
        }
    }

    /// <summary>Returns the configmap; null if the API server itself says that it does not exist.</summary>
    private static async Task<JsonElement?> FindAsync(KubernetesSession session, CancellationToken cancellationToken)
    {
        try
        {
            return await session.ObjectAsync(Path, cancellationToken);
        }
        catch (CollectionException e) when (e.Code == KubernetesCodes.NotFound && e.Message == Absent)
        {
            return null;
        }
    }

    /// <summary>Yields the valid entries, then the failures: a mistake in one entry must not hide the others.</summary>
    private static IEnumerable<Page> Pages(JsonElement configmap)
    {
        if (JsonMember.Text(configmap, "kind") != "ConfigMap")
            throw Malformed("it is not a configmap");
        if ((UnknownMembers.InAnotherCase(configmap, "apiVersion", "kind", "metadata", "data")
            ?? (Members.Of(configmap, "metadata") is { ValueKind: JsonValueKind.Object } metadata
                ? UnknownMembers.InAnotherCase(metadata, "name")
                : null)) is var (found, known))
        {
            throw Malformed($"it has {found} where the API has {known}");
        }
        if (JsonMember.Text(configmap, "apiVersion") is not (null or "v1")
            || JsonMember.Text(Members.Of(configmap, "metadata"), "name") is not (null or "aws-auth"))
            throw Malformed("it is a different configmap");
        if (Members.Of(configmap, "data").ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object))
            throw Malformed("its data is not an object");
        foreach (var (member, _) in Mappings.Add(("mapAccounts", "")))
        {
            if (Members.Of(Members.Of(configmap, "data"), member).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.String))
                throw Malformed($"{member} is not a text");
        }
        var data = Members.Of(configmap, "data");
        using var rows = new PageRows();
        var failures = new List<CollectionException>();
        foreach (var (member, arn) in Mappings)
        {
            Read<Dictionary<string, object?>>(data, member, failures, entry =>
            {
                var (identity, username, groups) = (Text(member, entry, arn), Text(member, entry, "username"), Groups(member, entry));
                rows.Add("/data/" + member, writer => Write(writer, member, identity, null, username, groups));
            });
        }
        Read<string>(data, "mapAccounts", failures, account =>
            rows.Add("/data/mapAccounts", writer => Write(writer, "mapAccounts", null, account, null, [])));
        return PageRows.Pages(rows.Complete(), failures);
    }

    /// <summary>Reads each entry of the YAML list in a member's text.</summary>
    private static void Read<T>(JsonElement data, string member, List<CollectionException> failures, Action<T> read) where T : class
    {
        foreach (var entry in Entries<T>(data, member, failures))
        {
            try
            {
                read(entry ?? throw Malformed($"{member} has an empty entry"));
            }
            catch (CollectionException e)
            {
                failures.Add(e);
            }
        }
    }

    private static List<T?> Entries<T>(JsonElement data, string member, List<CollectionException> failures) where T : class
    {
        if (JsonMember.Text(data, member) is not { } text || string.IsNullOrWhiteSpace(text))
            return [];
        try
        {
            return Yaml.Deserialize<List<T?>>(text) ?? [];
        }
        catch (YamlException e)
        {
            failures.Add(Malformed($"{member} is not a readable list (line {e.Start.Line})", e));
            return [];
        }
    }

    private static string Text(string member, Dictionary<string, object?> entry, string name) =>
        entry.GetValueOrDefault(name) as string ?? throw Malformed($"{member} has an entry without {name}");

    private static IEnumerable<string> Groups(string member, Dictionary<string, object?> entry) => entry.GetValueOrDefault("groups") switch
    {
        null => [],
        List<object> groups when groups.TrueForAll(g => g is string) => groups.Cast<string>(),
        _ => throw Malformed($"{member} has groups that are not a list of texts"),
    };

    private static void Write(Utf8JsonWriter writer, string source, string? arn, string? account, string? username, IEnumerable<string> groups)
    {
        writer.WriteString("source", source);
        writer.WriteString("arn", arn);
        writer.WriteString("account", account);
        writer.WriteString("username", username);
        writer.WriteStartArray("groups");
        foreach (var group in groups)
            writer.WriteStringValue(group);
        writer.WriteEndArray();
    }

    private static CollectionException Malformed(string how, Exception? cause = null) =>
        new(Codes.MalformedResponse, $"the configmap kube-system/aws-auth cannot be read: {how}", cause);
}
