using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.HttpApi;

/// <summary>Holds the credentials and the client of one target.</summary>
internal sealed class HttpApiSession : ITargetSession
{
    private readonly RestClient _client;
    private readonly string _claimed;

    private HttpApiSession(HttpApiProduct product, Uri address, RestClient client, string claimed, TimeProvider? clock)
    {
        Product = product;
        Address = address;
        _client = client;
        _claimed = claimed;
        Reader = new(product.Api, new Uri(address, product.Api.BasePath), client, clock);
    }

    public HttpApiProduct Product { get; }

    public Uri Address { get; }

    /// <summary>Reads the product's operations.</summary>
    public RestReader Reader { get; }

    /// <inheritdoc/>
    public IEnumerable<string> UnusualEndpoints =>
        Address.Scheme == Uri.UriSchemeHttps && Address.IsDefaultPort && Product.IsOwn(Address.Host) ? [] : [Address.Origin()];

    /// <summary>Opens the session of a target: live with its credentials, in a replay with what was recorded.</summary>
    /// <exception cref="CollectionException">The target cannot be used.</exception>
    public static HttpApiSession Open(
        IReadOnlyList<HttpApiProduct> products, Target target, ExchangeTransport transport, TimeProvider clock, Action<CredentialExchange> seen)
    {
        if (transport.IsReplay)
        {
            var recorded = products.Select(p => (Product: p, Origin: transport.RecordedOrigin(Scope(target, p)))).FirstOrDefault(p => p.Origin is not null);
            var (replayed, origin) = recorded.Origin is null
                ? HttpApiSource.Place([.. products], target, _ => null)
                : (recorded.Product, WithPath(recorded.Origin, target));
            return Create(replayed, origin, target, transport, _ => Task.FromResult<RestAuthorization?>(null), "not recorded", null, null);
        }
        var (product, address) = HttpApiSource.Place([.. products], target, Environment.GetEnvironmentVariable);
        const string Next = "the target's setting ca can name a PEM file with the authorities to trust";
        var route = new Route(
            StatedProxy.OfEnvironment(ProxyHabit.Python),
            target.Setting("ca") is { } file ? ServerTrust.OnlyFile(file, "ca", Next) : ServerTrust.System(Next))
        {
            ClientCertificate = HttpApiCredentials.ClientCertificate(target),
            Socket = target.Setting("socket"),
        };
        var credentials = new HttpApiCredentials(product, address, clock, seen, route, Environment.GetEnvironmentVariable);
        var (authorize, claimed) = credentials.Resolve(target);
        return Create(product, address, target, transport, authorize, claimed, clock, route);
    }

    /// <summary>Returns the account that the target is: its host and path, or the company that the product reports.</summary>
    /// <exception cref="CollectionException">The product does not say it, or it is not the one that the target names.</exception>
    public async Task<string> AccountAsync(Target target, CancellationToken cancellationToken)
    {
        if (Product.Account is not var (operation, from))
            return (Address.Authority + Address.AbsolutePath.TrimEnd('/')).ToLowerInvariant();
        await foreach (var (body, _) in Reader.PagesAsync(operation, [], cancellationToken))
        {
            var company = JsonPointer.Find(body, from) is { ValueKind: JsonValueKind.String } found ? found.GetString()! : "";
            if (!Guid.TryParse(company, out var id))
                throw new CollectionException(Codes.MalformedResponse, $"{Product.Title} did not say whose data it is ({from})");
            return Guid.TryParse(target.Setting("tenant"), out var tenant) && tenant != id
                ? throw new CollectionException(
                    HttpApiCodes.AnotherTenant, $"{target.Label} names the tenant {tenant}, but the credentials reach {id}")
                : id.ToString();
        }
        throw new InvalidOperationException("a list without a page");
    }

    /// <summary>
    /// Returns the identity that the product reports for the caller, or the one that the credentials claim if the product reports none.
    /// </summary>
    /// <exception cref="CollectionException">The product does not accept the credentials, or cannot be reached.</exception>
    public async Task<string> IdentityAsync(CancellationToken cancellationToken)
    {
        if (Product.Identity is not var (operation, from))
            return $"{Connection.Claimed} {_claimed}";
        try
        {
            await foreach (var (body, _) in Reader.PagesAsync(operation, [], cancellationToken))
                return JsonPointer.Find(body, from) is { } found && JsonMember.TextOrRaw(found) is { Length: > 0 } name
                    ? name
                    : throw new CollectionException(Codes.MalformedResponse, $"{Product.Title} did not say who asks ({from})");
        }
        catch (CollectionException e) when (e.Code is Codes.NoRecording || MayBeMachine(e))
        {
            // A machine's token often has no user behind it, and the operations show whether it is accepted.
        }
        return $"{Connection.Claimed} {_claimed}";
    }

    public void Dispose() => _client.Dispose();

    private static bool MayBeMachine(CollectionException e) => e.Code == Codes.OfStatus(403) || e.Code == Codes.OfStatus(404);

    private static HttpApiSession Create(
        HttpApiProduct product, Uri address, Target target, ExchangeTransport transport, Func<CancellationToken, Task<RestAuthorization?>> authorize,
        string claimed, TimeProvider? clock, Route? route)
    {
        var guard = new RestGuard(product.Api, new Uri(address, product.Api.BasePath));
        var client = new RestClient(
            transport.Open(Scope(target, product), guard.Refusal, guard.Places, route), authorize, transport.Waits(clock), product.Api.Text("reset"));
        return new(product, address, client, claimed, clock);
    }

    private static ExchangeScope Scope(Target target, HttpApiProduct product) => new(target.Name, product.Name, HttpApiSource.GlobalRegion);

    /// <summary>Adds the path of the target's own address, which an origin does not have.</summary>
    private static Uri WithPath(Uri origin, Target target) =>
        target.Setting("url") is { } url && HttpApiAddress.WhyNot(url) is null ? new Uri(origin, HttpApiAddress.Of(url).AbsolutePath) : origin;
}
