using System.Collections.Concurrent;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Aws;

/// <summary>Sends the requests that obtain credentials of AWS, guarded by a <see cref="CredentialGuard"/>.</summary>
/// <param name="route">Returns the route in effect for the current async flow.</param>
internal sealed class AwsCredentialPipeline(TimeProvider clock, Action<CredentialExchange> seen, Func<Route> route) : HttpMessageHandler
{
    private static readonly string[] StsActions = ["AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];
    private readonly CredentialGuard _guard = new(clock, seen);
    private readonly ConcurrentDictionary<Route, Lazy<HttpMessageInvoker>> _ways = new();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var operation = await OperationAsync(request, cancellationToken);
        return await _guard.SendAsync(
            request, operation,
            limited => _ways.GetOrAdd(route(), way => new(() => new(way.Connect(CredentialGuard.Connect)))).Value.SendAsync(request, limited),
            cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var way in _ways.Values.Where(w => w.IsValueCreated))
            way.Value.Dispose();
        base.Dispose(disposing);
    }

    private static async Task<string?> OperationAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (request.Method == HttpMethod.Get)
            return path.EndsWith("/federation/credentials", StringComparison.Ordinal) ? "sso:GetRoleCredentials" : null;
        if (path is "/token" or "/client/register" or "/device_authorization")
            return "sso-oidc:" + path[1..];
        if (request.Content is not { } content)
            return null;
        var form = await content.ReadAsStringAsync(cancellationToken);
        var action = form.Split('&').FirstOrDefault(p => p.StartsWith("Action=", StringComparison.Ordinal))?["Action=".Length..];
        return StsActions.Contains(action) ? "sts:" + action : null;
    }
}
