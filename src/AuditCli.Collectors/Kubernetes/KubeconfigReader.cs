using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Reads one kubeconfig file. Unknown members are ignored, as in kubectl.</summary>
internal sealed class KubeconfigReader
{
    private const int MaximumBytes = 8 * 1024 * 1024;
    private const string ExecExtension = "client.authentication.k8s.io/exec";
    private static readonly ImmutableArray<string> Nulls = ["", "~", "null", "Null", "NULL"];
    private static readonly ImmutableArray<string> Truths = ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"];
    private static readonly ImmutableArray<string> Untruths = ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"];
    private readonly string _file;
    private readonly string _folder;

    private KubeconfigReader(string file) => (_file, _folder) = (file, Path.GetDirectoryName(Path.GetFullPath(file))!);

    /// <summary>Reads the file.</summary>
    /// <exception cref="CollectionException">The file cannot be read; the message says where.</exception>
    public static Kubeconfig Read(string file)
    {
        var reader = new KubeconfigReader(file);
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MaximumBytes })
                throw reader.Wrong(null, $"it has more than {MaximumBytes} bytes");
            var yaml = new YamlStream();
            using var text = new StreamReader(RegularFile.OpenRead(file));
            yaml.Load(text);
            return yaml.Documents switch
            {
                [] => new([file], null, Empty<KubeContext>(), Empty<KubeCluster>(), Empty<KubeUser>()),
                [var document, ..] when document.RootNode is YamlMappingNode root => reader.Read(root),
                [var document, ..] => throw reader.Wrong(document.RootNode, "it is not a kubeconfig: members such as clusters and contexts are missing"),
            };
        }
        catch (YamlException e)
        {
            // The exception's message is not repeated: the parser quotes its input, which may be a token.
            throw new CollectionException(Codes.NoCredentials, $"the kubeconfig {file}:{e.Start.Line} is not valid YAML", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CollectionException(Codes.NoCredentials, $"the kubeconfig {file} cannot be read: {e.Message}", e);
        }
    }

    private static ImmutableDictionary<string, T> Empty<T>() => ImmutableDictionary<string, T>.Empty;

    private Kubeconfig Read(YamlMappingNode root) => new(
        [_file], Text(root, "current-context"),
        Named(root, "contexts", "context", (name, at) => new KubeContext(name, Place(at), Text(at, "cluster"), Text(at, "user"))),
        Named(root, "clusters", "cluster", Cluster),
        Named(root, "users", "user", User));

    private KubeCluster Cluster(string name, YamlMappingNode at) => new(
        name, Place(at), Text(at, "server"), Text(at, "tls-server-name"), Flag(at, "insecure-skip-tls-verify"),
        Rooted(Text(at, "certificate-authority")), Text(at, "certificate-authority-data"), Text(at, "proxy-url"), Extension(at));

    private KubeUser User(string name, YamlMappingNode at) => new(name, Place(at))
    {
        Token = Text(at, "token"),
        TokenFile = Rooted(Text(at, "tokenFile")),
        Username = Text(at, "username"),
        Password = Text(at, "password"),
        CertificateFile = Rooted(Text(at, "client-certificate")),
        CertificateData = Text(at, "client-certificate-data"),
        KeyFile = Rooted(Text(at, "client-key")),
        KeyData = Text(at, "client-key-data"),
        AuthProvider = Map(at, "auth-provider") is { } provider ? Text(provider, "name") ?? "without a name" : null,
        Exec = Map(at, "exec") is { } exec ? Exec(exec) : null,
        As = Text(at, "as"),
        AsUid = Text(at, "as-uid"),
        AsGroups = Texts(at, "as-groups"),
        AsExtra = Map(at, "as-user-extra") is { } extra
            ? [.. extra.Children.Select(e => KeyValuePair.Create(Scalar(e.Key, "as-user-extra") ?? "", Texts(extra, e.Key)))]
            : [],
    };

    private KubeExec Exec(YamlMappingNode at)
    {
        var command = Text(at, "command");
        return new(
            // A command without a folder is looked up in the search path, as in a shell.
            command?.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) == true ? Rooted(command) : command,
            Texts(at, "args"),
            [
                .. Items(at, "env")
                    .Select(e => e as YamlMappingNode ?? throw Wrong(e, "an entry of env must have a name and a value"))
                    .Select(e => KeyValuePair.Create(Text(e, "name") ?? throw Wrong(e, "an entry of env has no name"), Text(e, "value") ?? "")),
            ],
            Text(at, "apiVersion"), Text(at, "interactiveMode"), Flag(at, "provideClusterInfo"), Text(at, "installHint"));
    }

    private JsonElement? Extension(YamlMappingNode cluster) => Items(cluster, "extensions").OfType<YamlMappingNode>()
        .Where(e => Text(e, "name") == ExecExtension && Child(e, "extension") is not null)
        .Select(e => (JsonElement?)JsonSerializer.SerializeToElement(Json(Child(e, "extension")!)))
        .FirstOrDefault();

    /// <summary>Reads a list of named entries; a duplicate name in a file is an error, as in kubectl.</summary>
    private ImmutableDictionary<string, T> Named<T>(YamlMappingNode root, string list, string member, Func<string, YamlMappingNode, T> read)
    {
        var all = ImmutableDictionary.CreateBuilder<string, T>(StringComparer.Ordinal);
        foreach (var node in Items(root, list))
        {
            if (node is not YamlMappingNode entry)
                throw Wrong(node, $"an entry of {list} must have a name and a {member}");
            var name = Text(entry, "name") ?? "";
            if (all.ContainsKey(name))
                throw Wrong(entry, $"{list} has the name {name} twice; kubectl refuses such a file too");
            all.Add(name, read(name, Map(entry, member) ?? new YamlMappingNode()));
        }
        return all.ToImmutable();
    }

    private static YamlNode? Child(YamlMappingNode at, string name) => at.Children.FirstOrDefault(c => c.Key is YamlScalarNode key && key.Value == name).Value;

    private YamlMappingNode? Map(YamlMappingNode at, string name) => Child(at, name) switch
    {
        null => null,
        YamlMappingNode map => map,
        YamlScalarNode scalar when IsNull(scalar) => null,
        var other => throw Wrong(other, $"{name} must have members"),
    };

    private IEnumerable<YamlNode> Items(YamlMappingNode at, string name) => Child(at, name) switch
    {
        null => [],
        YamlSequenceNode list => list.Children,
        YamlScalarNode scalar when IsNull(scalar) => [],
        var other => throw Wrong(other, $"{name} must be a list"),
    };

    private ImmutableArray<string> Texts(YamlMappingNode at, string name) => [.. Items(at, name).Select(i => Scalar(i, name) ?? "")];

    private ImmutableArray<string> Texts(YamlMappingNode at, YamlNode key) => Texts(at, ((YamlScalarNode)key).Value!);

    /// <summary>Returns a text that is not empty; kubectl treats empty and absent alike.</summary>
    private string? Text(YamlMappingNode at, string name) => Child(at, name) is { } node && Scalar(node, name) is { Length: > 0 } text ? text : null;

    private string? Scalar(YamlNode node, string name) => node is YamlScalarNode scalar
        ? IsNull(scalar) ? null : scalar.Value
        : throw Wrong(node, $"{name} must be a text");

    private bool Flag(YamlMappingNode at, string name)
    {
        var text = Text(at, name);
        return text is not null && (Truths.Contains(text) || (Untruths.Contains(text) ? false : throw Wrong(Child(at, name), $"{name} must be true or false")));
    }

    private static bool IsNull(YamlScalarNode scalar) => scalar.Style == ScalarStyle.Plain && Nulls.Contains(scalar.Value ?? "");

    private string? Rooted(string? path) => path is null ? null : Path.GetFullPath(Path.Combine(_folder, path));

    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value ?? "", Json(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Json)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar when IsNull(scalar) => null,
        YamlScalarNode { Style: ScalarStyle.Plain } scalar when Truths.Contains(scalar.Value!) || Untruths.Contains(scalar.Value!) =>
            Truths.Contains(scalar.Value!),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar
            when long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        YamlScalarNode scalar => scalar.Value,
        _ => null,
    };

    private string Place(YamlNode at) => at.Start.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{_file}:{at.Start.Line}") : _file;

    private CollectionException Wrong(YamlNode? at, string what) =>
        new(Codes.NoCredentials, $"the kubeconfig {(at is null ? _file : Place(at))}: {what}");
}
