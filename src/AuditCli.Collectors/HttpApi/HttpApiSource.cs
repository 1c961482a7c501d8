using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.HttpApi;

/// <summary>
/// Describes the products that are read over plain HTTP APIs, as data: each is one file of the catalogue. Operations are written
/// <c>&lt;product&gt;:&lt;operation&gt;</c> (<c>okta:users.list</c>). A target is one host, which is also the account.
/// </summary>
public static partial class HttpApiSource
{
    /// <summary>The source name in controls and engagements.</summary>
    public const string Name = "http";

    /// <summary>The region name of every request: such products have no regions.</summary>
    public const string GlobalRegion = "host";

    /// <summary>Returns the source with its operations; it is cheap to create and thread-safe.</summary>
    public static EvidenceSource Create()
    {
        var catalogue = new RestCatalogue(HttpApiProducts.Catalogue);
        var products = new Lazy<ImmutableArray<HttpApiProduct>>(() => HttpApiProducts.Load(catalogue));
        return new(
            Name,
            [
                new("url", TargetSettingForm.Text, false, [])
                {
                    Description = "The product's address, such as https://acme.okta.com; may be omitted where all companies use one address.",
                },
                new("product", TargetSettingForm.Text, false, [.. catalogue.ApiNames])
                {
                    Description = "The product at that address; may be omitted where its host shows it.",
                },
                new("auth", TargetSettingForm.Text, false, ["bearer", "basic", "client-secret", "federated", "jwt-rs256"])
                {
                    Description = "How to prove who asks; if omitted, the first way for which there are credentials.",
                },
                new("token_env", TargetSettingForm.Text, false, []) { Description = "The environment variable with a token, for bearer." },
                new("user", TargetSettingForm.Text, false, []) { Description = "The user, for basic." },
                new("password_env", TargetSettingForm.Text, false, [])
                {
                    Description = "The environment variable with a password or an API token, for basic.",
                },
                new("client_id", TargetSettingForm.Text, false, []) { Description = "The client's id, for client-secret, federated and jwt-rs256." },
                new("client_secret_env", TargetSettingForm.Text, false, [])
                {
                    Description = "The environment variable with the client's secret, for client-secret.",
                },
                new("private_key_file", TargetSettingForm.File, false, []) { Description = "A PEM file with the client's RSA key, for jwt-rs256." },
                new("assertion_file", TargetSettingForm.File, false, []) { Description = "A file with a token of the platform, for federated." },
                new("tenant", TargetSettingForm.Text, false, []) { Description = "The tenant, for Microsoft Entra ID." },
                new("token_url", TargetSettingForm.Text, false, []) { Description = "Where tokens are obtained; the product's own address if omitted." },
                new("scope", TargetSettingForm.Text, false, []) { Description = "The scopes of the token, separated by blanks." },
                new("ca", TargetSettingForm.File, false, []) { Description = "A PEM file with the only authorities to trust for this host." },
                new("client_certificate", TargetSettingForm.File, false, []) { Description = "A PEM file with a client certificate, for mutual TLS." },
                new("client_key", TargetSettingForm.File, false, []) { Description = "The certificate's key, if it is in another PEM file." },
                new("socket", TargetSettingForm.File, false, []) { Description = "A Unix domain socket through which the address is reached." },
            ],
            name => products.Value is var _ && catalogue.Find(name) is var (api, operation) ? Describe(api, operation) : null,
            name => catalogue.Suggest(name, (operation, wanted) => EditDistance.Between(operation.ToLowerInvariant(), wanted.ToLowerInvariant())))
        {
            TargetDescription = "A product with an HTTP API, such as an identity provider or a ticket system: one host.",
            OperationDescription = "<product>:<operation>, such as okta:users.list.",
            Has = (target, operation, _) => ProductOf(products.Value, target) is { } product
                && operation.Name.StartsWith(product.Name + ":", StringComparison.Ordinal),
            WhyNotTarget = target => WhyNot(products.Value, target),
        };
    }

    /// <summary>Returns the product and the address of a target.</summary>
    /// <exception cref="CollectionException">The target does not say them.</exception>
    internal static (HttpApiProduct Product, Uri Address) Place(ImmutableArray<HttpApiProduct> products, Target target, Func<string, string?> variable)
    {
        var product = ProductOf(products, target);
        var text = target.Setting("url")
            ?? (product?.Variables.GetValueOrDefault("url") is { } name && variable(name) is { Length: > 0 } value ? value : product?.Address)
            ?? throw new CollectionException(HttpApiCodes.InvalidAddress,
                $"{target.Label} needs its address; give {(target.IsOfOneCall ? "--url https://HOST" : "url: https://HOST")}");
        if (HttpApiAddress.WhyNot(text) is { } why)
            throw new CollectionException(HttpApiCodes.InvalidAddress, $"{target.Label}: {why}");
        var address = HttpApiAddress.Of(text);
        return (product ?? throw new CollectionException(
            HttpApiCodes.UnknownProduct,
            $"{target.Label}: {address.Host} does not show which product answers there; "
                + $"give {(target.IsOfOneCall ? "--product" : "product:")} {Names(products)}"),
            address);
    }

    private static string? WhyNot(ImmutableArray<HttpApiProduct> products, Target target)
    {
        if (target.Setting("url") is { } url && HttpApiAddress.WhyNot(url) is { } why)
            return why;
        var named = target.Settings.Keys.Where(k => k.EndsWith("_env", StringComparison.Ordinal));
        if (named.FirstOrDefault(k => !VariableName().IsMatch(target.Setting(k)!)) is { } name)
            return $"{name} must be the name of an environment variable, such as OKTA_API_TOKEN; a credential is never written into an engagement";
        if (target.Setting("client_key") is not null && target.Setting("client_certificate") is null)
            return "client_key needs client_certificate";
        if (target.Setting("url") is null && target.Setting("product") is null)
            return target.IsOfOneCall ? "give --url https://HOST, --product, or both" : "give url, product, or both";
        if (target.Setting("product") is { } given && target.Setting("url") is null && products.Single(p => p.Name == given) is { Address: null } product
            && !product.Variables.ContainsKey("url"))
        {
            return $"{product.Title} has another address at each company; give {(target.IsOfOneCall ? "--url" : "url:")} https://HOST";
        }
        return ProductOf(products, target) is null
            ? $"the host does not show which product answers there; give {(target.IsOfOneCall ? "--product" : "product:")} {Names(products)}"
            : null;
    }

    /// <summary>Returns the product that a target names, or whose host it names; null if it names none.</summary>
    private static HttpApiProduct? ProductOf(ImmutableArray<HttpApiProduct> products, Target target) =>
        target.Setting("product") is { } named ? products.Single(p => p.Name == named)
        : target.Setting("url") is { } url && HttpApiAddress.WhyNot(url) is null ? products.FirstOrDefault(p => p.IsOwn(new Uri(url).Host))
        : null;

    private static string Names(ImmutableArray<HttpApiProduct> products) => string.Join(" | ", products.Select(p => p.Name));

    private static Operation Describe(RestApi api, RestOperation operation) => new(
        Name, $"{api.Name}:{operation.Name}", OperationScope.Global,
        [.. operation.Parameters.Select(p => new OperationParameter(p.Name, p.Type, p.Required && p.Fill is null))],
        operation.Columns)
    {
        Row = operation.Row,
        NotConfigured = operation.None,
        Selected = parameters => Selected(api, operation, parameters),
    };

    /// <summary>Returns the columns that the product's own parameter for it names; null if it names none, or has a value that is no list of names.</summary>
    private static ImmutableHashSet<string>? Selected(
        RestApi api, RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters)
    {
        if (api.Text("select") is not { } name || operation.Parameter(name) is not { } parameter)
            return null;
        var text = parameters.TryGetValue(name, out var given) ? JsonMember.TextOrRaw(given)
            : parameter.Fill is { } fill ? JsonMember.TextOrRaw(JsonElement.Parse(fill))
            : null;
        return text is { Length: > 0 }
            ? [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(c => c.Split('.', '/')[0])]
            : null;
    }

    [GeneratedRegex(@"\A[A-Z_][A-Z0-9_]{0,126}\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();
}
