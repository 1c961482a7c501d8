using System.Collections.Immutable;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.HttpApi;

/// <summary>A way to prove who asks, as a product accepts it.</summary>
/// <param name="Kind">The word in the target's setting <c>auth</c>.</param>
/// <param name="Prefix">What the Authorization header has before the credential, such as <c>Bearer</c>.</param>
internal readonly record struct AuthForm(string Kind, string Prefix);

/// <summary>What a catalogue file states for its whole product.</summary>
internal sealed record HttpApiProduct(RestApi Api)
{
    public string Name => Api.Name;

    /// <summary>The product's name for people.</summary>
    public string Title => Api.Text("title")!;

    /// <summary>The provider's own hosts, <c>*.</c> for any name below one; empty for software that each company hosts itself.</summary>
    public ImmutableArray<string> Hosts => Api.Texts("hosts");

    /// <summary>The address if the target names none; null if every company has its own.</summary>
    public string? Address => Api.Text("address");

    /// <summary>The accepted ways to prove who asks, best first.</summary>
    public ImmutableArray<AuthForm> Forms =>
        [.. Api.Texts("auth").Select(a => a.Split(' ', 2)).Select(a => new AuthForm(a[0], a.Length > 1 ? a[1] : ""))];

    /// <summary>The environment variables that the product's own tools use, by the target's setting that names another.</summary>
    public ImmutableSortedDictionary<string, string> Variables => Api.Map("variables");

    /// <summary>The operation that says who asks, and a JSON Pointer to the name in its response; null if the product has none.</summary>
    public (RestOperation Operation, string From)? Identity =>
        Api.Map("identity") is { Count: > 0 } identity ? (Api.Operation(identity["operation"])!, identity["from"]) : null;

    /// <summary>
    /// The operation that says which company's data the credentials reach, and a JSON Pointer to its id; null if the address says it. Where
    /// all companies use one address, two of them would otherwise be one account.
    /// </summary>
    public (RestOperation Operation, string From)? Account =>
        Api.Map("account") is { Count: > 0 } account ? (Api.Operation(account["operation"])!, account["from"]) : null;

    /// <summary>Whether a host is one of the provider's own.</summary>
    public bool IsOwn(string host) => Hosts.Any(h => h.StartsWith("*.", StringComparison.Ordinal)
        ? host.EndsWith(h[1..], StringComparison.OrdinalIgnoreCase)
        : host.Equals(h, StringComparison.OrdinalIgnoreCase));
}

/// <summary>The products that have a catalogue file.</summary>
internal static class HttpApiProducts
{
    /// <summary>The folder of the catalogue's files.</summary>
    public const string Catalogue = "HttpApi/Catalogue";

    /// <summary>Returns every product, sorted by name.</summary>
    /// <exception cref="InvalidDataException">
    /// A request could belong to two operations of a product; the guard could then not say which of them it allows.
    /// </exception>
    public static ImmutableArray<HttpApiProduct> Load(RestCatalogue catalogue) => [.. catalogue.ApiNames.Select(name => Checked(catalogue.Api(name)!))];

    internal static HttpApiProduct Checked(RestApi api) => api.Overlap() is var (one, other)
        ? throw new InvalidDataException($"{api.Name}: the same request could be {one} and {other}; give a path segment a type or a constant")
        : new(api);
}
