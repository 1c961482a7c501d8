using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.HttpApi;

/// <summary>
/// Obtains the credentials of a target from the variables and files that it names, or from those that the product's own tools use. They
/// are held in memory only.
/// </summary>
/// <param name="address">The address of the API, to which a token's relative URL belongs.</param>
/// <param name="variable">Returns the value of an environment variable; null or empty if there is none.</param>
internal sealed class HttpApiCredentials(
    HttpApiProduct product, Uri address, TimeProvider clock, Action<CredentialExchange> seen, Route route, Func<string, string?> variable)
{
    /// <summary>Returns what writes the Authorization header, and the identity that the credentials name themselves.</summary>
    /// <exception cref="CollectionException">There are no credentials, or they cannot be used.</exception>
    public (Func<CancellationToken, Task<RestAuthorization?>> Authorize, string Claimed) Resolve(Target target)
    {
        var wanted = target.Setting("auth");
        foreach (var form in product.Forms.Where(f => wanted is null || f.Kind == wanted))
        {
            if (Of(form, target) is { } found)
                return found;
        }
        var forms = product.Forms.Where(f => wanted is null || f.Kind == wanted).Select(f => $"{f.Kind} ({string.Join(", ", Needs(f, target))})");
        throw new CollectionException(
            Codes.NoCredentials,
            product.Forms.Any(f => wanted is null || f.Kind == wanted)
                ? $"{target.Label}: no credentials for {product.Title}; set the environment for one of: {string.Join("; ", forms)}"
                : $"{target.Label}: {product.Title} does not take auth: {wanted}; it takes {string.Join(", ", product.Forms.Select(f => f.Kind))}");
    }

    private (Func<CancellationToken, Task<RestAuthorization?>>, string)? Of(AuthForm form, Target target)
    {
        switch (form.Kind)
        {
            case "bearer" when Value(target, "token") is { } token:
                var claims = TokenClaims.Of(token);
                claims?.RequireValid(clock.GetUtcNow(), Place(target, "token"));
                return (Constant($"{form.Prefix} {Sendable(target, "token", token)}", token), claims?.Name ?? $"the holder of {Place(target, "token")}");
            case "basic" when Value(target, "user") is { } user && Value(target, "password") is { } password:
                if (user.Contains(':', StringComparison.Ordinal) || user.Any(char.IsControl))
                    throw Unusable($"the user in {Place(target, "user")} has a colon or a line end, which basic authentication cannot carry");
                Sendable(target, "password", password);
                return (Constant($"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}", password), user);
            case "client-secret" when Value(target, "client_id") is { } client && Value(target, "client_secret") is { } secret:
                return Token(form, target, client, () => [new("client_secret", Sendable(target, "client_secret", secret))], secret);
            case "federated" when Value(target, "client_id") is { } client && Value(target, "assertion_file") is { } file:
                return Token(form, target, client, () => ClientAssertion.Fields(Federated(file)));
            case "jwt-rs256" when Value(target, "client_id") is { } client && Value(target, "private_key_file") is { } file:
                var key = ClientAssertion.ReadKey(file);
                var url = TokenUrl(target);
                return Token(form, target, client, () => ClientAssertion.Fields(ClientAssertion.Sign(key, client, url, clock.GetUtcNow())));
            default:
                return null;
        }
    }

    private (Func<CancellationToken, Task<RestAuthorization?>>, string) Token(
        AuthForm form, Target target, string client, Func<IEnumerable<KeyValuePair<string, string>>> proof, params ImmutableArray<string> secrets)
    {
        var scope = target.Setting("scope") ?? product.Api.Text("scope");
        var tokens = new ClientToken(TokenUrl(target), client, scope, proof, clock, seen, route, product.Title);
        return (
            async cancellationToken => await tokens.GetAsync(cancellationToken) is var token ? new($"{form.Prefix} {token}", [token, .. secrets]) : null,
            $"client {client}");
    }

    private Uri TokenUrl(Target target)
    {
        var text = target.Setting("token_url") ?? product.Api.Text("token_url")!;
        if (text.Contains("{tenant}", StringComparison.Ordinal))
        {
            var tenant = Value(target, "tenant") ?? throw Unusable($"{product.Title} needs the tenant; set {Place(target, "tenant")}");
            text = text.Replace("{tenant}", Uri.EscapeDataString(tenant), StringComparison.Ordinal);
        }
        var url = new Uri(new Uri(address.GetLeftPart(UriPartial.Authority)), text);
        return HttpApiAddress.WhyNot(url.AbsoluteUri) is { } why
            ? throw new CollectionException(HttpApiCodes.InvalidAddress, $"{target.Label}: token_{why}")
            : url;
    }

    /// <summary>Reads the token that the platform puts into a file: it is renewed there, so it is read for each exchange.</summary>
    private string Federated(string file)
    {
        string token;
        try
        {
            token = RegularFile.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"the token file {file} cannot be read: {e.Message}", e);
        }
        (TokenClaims.Of(token) ?? throw Unusable($"the file {file} has no JSON Web Token")).RequireValid(clock.GetUtcNow(), file);
        return token;
    }

    private static string Sendable(Target target, string setting, string value) => RestAuthorization.WhyNot(value) is { } why
        ? throw Unusable($"the {setting} of {target.Label} {why}")
        : value;

    private string? Value(Target target, string setting)
    {
        if (target.Setting(setting) is { Length: > 0 } plain)
            return plain;
        var name = target.Setting(setting + "_env") ?? product.Variables.GetValueOrDefault(setting);
        return name is not null && variable(name) is { Length: > 0 } value ? value : null;
    }

    private string Place(Target target, string setting) => target.Setting(setting + "_env") ?? product.Variables.GetValueOrDefault(setting) ?? setting;

    private IEnumerable<string> Needs(AuthForm form, Target target) => (form.Kind switch
    {
        "bearer" => new[] { "token" },
        "basic" => ["user", "password"],
        "client-secret" => ["client_id", "client_secret"],
        "federated" => ["client_id", "assertion_file"],
        _ => ["client_id", "private_key_file"],
    }).Select(s => Place(target, s));

    private static Func<CancellationToken, Task<RestAuthorization?>> Constant(string header, string secret) =>
        _ => Task.FromResult<RestAuthorization?>(new(header, [secret]));

    private static CollectionException Unusable(string message, Exception? inner = null) => new(Codes.NoCredentials, message, inner);

    /// <summary>Returns the client certificate that a target names, for each new connection; null if it names none.</summary>
    /// <exception cref="CollectionException">The certificate or its key cannot be read.</exception>
    public static Func<X509Certificate2?>? ClientCertificate(Target target)
    {
        if (target.Setting("client_certificate") is not { } file)
            return null;
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(file, target.Setting("client_key") ?? file);
            return () => certificate;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            // The message of a parser may quote the key.
            throw Unusable($"{target.Label}: the client certificate {file} or its key cannot be read; both must be PEM");
        }
    }
}
