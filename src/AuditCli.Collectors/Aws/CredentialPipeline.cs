using System.Collections.Concurrent;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Sends the requests that obtain credentials. It is separate from the recorded pipeline, so that no credential is recorded, and refuses
/// every request except the named credential exchanges.
/// </summary>
/// <param name="route">Returns the route in effect for the current async flow.</param>
internal sealed class CredentialPipeline(TimeProvider clock, Action<CredentialExchange> seen, Func<Route> route) : HttpMessageHandler
{
    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(10);

    /// <summary>The time limit of one exchange, from sending to the last byte of the response. The callers do not set one.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly string[] StsActions = ["AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];
    private readonly ConcurrentDictionary<Route, Lazy<HttpMessageInvoker>> _ways = new();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var operation = await OperationAsync(request, cancellationToken)
            ?? throw new ExchangeRefusedException(Codes.RefusedReadOnly,
                $"{request.Method} {request.RequestUri?.Shown()} is no exchange of credentials");
        var date = clock.GetUtcNow();
        var status = 0;
        using var late = new CancellationTokenSource(Longest);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            var response = await _ways.GetOrAdd(route(), way => new(() => new(way.Connect(Connect)))).Value.SendAsync(request, either.Token);
            await response.Content.LoadIntoBufferAsync(either.Token);
            status = (int)response.StatusCode;
            return response;
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(
                HttpRequestError.Unknown, $"{operation} was not answered",
                new TimeoutException($"there was no whole answer within {Longest.TotalSeconds} s", e));
        }
        finally
        {
            seen(new(date, new(request.RequestUri!.Shown()), operation, status));
        }
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
