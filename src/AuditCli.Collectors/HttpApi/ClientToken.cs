using System.Collections.Frozen;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.HttpApi;

/// <summary>
/// Obtains access tokens with the credentials of a client (RFC 6749, section 4.4) and renews them before they expire. The exchanges are
/// not recorded: only endpoint, time and status are noted.
/// </summary>
/// <param name="proof">Returns the fields that prove the client's identity, new for each exchange.</param>
internal sealed class ClientToken(
    Uri endpoint, string client, string? scope, Func<IEnumerable<KeyValuePair<string, string>>> proof, TimeProvider clock,
    Action<CredentialExchange> seen, Route route, string product)
{
    private const string Operation = "oauth2:client_credentials";

    /// <summary>The codes of RFC 6749, section 5.2.</summary>
    private static readonly FrozenSet<string> Errors = FrozenSet.ToFrozenSet(
        ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"], StringComparer.Ordinal);

    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(5);
    private readonly CredentialGuard _guard = new(clock, seen);
    private readonly Lock _turn = new();
    private Task<IssuedToken>? _current;

    /// <summary>A token and the moment from which another one is needed.</summary>
    private sealed record IssuedToken(string Text, DateTimeOffset Until);

    /// <summary>Returns a token that is valid for at least a minute.</summary>
    /// <exception cref="CollectionException">The endpoint gives none (<see cref="Codes.NoCredentials"/>), or cannot be reached.</exception>
    public async Task<string> GetAsync(CancellationToken cancellationToken)
    {
        Task<IssuedToken> issued;
        lock (_turn)
        {
            // Requests that wait for a token share one exchange, which no single one of them may cancel; its time is limited.
            if (_current is null or { IsCompletedSuccessfully: false, IsCompleted: true }
                || _current.IsCompletedSuccessfully && clock.GetUtcNow() >= _current.Result.Until)
            {
                _current = ObtainAsync(CancellationToken.None);
            }
            issued = _current;
        }
        return (await issued.WaitAsync(cancellationToken)).Text;
    }

    private async Task<IssuedToken> ObtainAsync(CancellationToken cancellationToken)
    {
        IEnumerable<KeyValuePair<string, string>> fields = [new("grant_type", "client_credentials"), new("client_id", client), .. proof()];
        if (scope is not null)
            fields = fields.Append(new("scope", scope));
        var asked = clock.GetUtcNow();
        try
        {
            using var network = new HttpClient(route.Connect(CredentialGuard.Connect));
            using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new FormUrlEncodedContent(fields) };
            request.Headers.TryAddWithoutValidation("Accept", "application/json");
            using var response = await _guard.SendAsync(request, Operation, limited => network.SendAsync(request, limited), cancellationToken);
            var body = JsonAnswer.Object(await response.Content.ReadAsByteArrayAsync(cancellationToken), JsonAnswer.Unambiguous);
            if (!response.IsSuccessStatusCode)
                throw Refused((int)response.StatusCode, body);
            if (body is not { } answer || JsonMember.Text(answer, "access_token") is not { } token || answer.TryGetProperty("error", out _))
                throw new CollectionException(Codes.NoCredentials, $"{endpoint.Host} answered the request for a token of {product} without one");
            if (RestAuthorization.WhyNot(token) is { } why)
                throw new CollectionException(Codes.NoCredentials, $"the token of {product} from {endpoint.Host} {why}");
            if (JsonMember.Text(answer, "token_type") is { } type && !type.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
                throw new CollectionException(Codes.NoCredentials, $"{endpoint.Host} gave a token of {product} that is not a bearer token");
            var life = answer.TryGetProperty("expires_in", out var expires) && long.TryParse(JsonMember.TextOrRaw(expires), out var seconds) && seconds > 0
                ? TimeSpan.FromSeconds(Math.Min(seconds, 86_400))
                : Usual;
            return new(token, asked + life - Margin);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not CollectionException)
        {
            throw new OperationCanceledException("the call was cancelled", e, cancellationToken);
        }
        catch (Exception e) when (RestFailures.IsKnown(e))
        {
            throw RestFailures.Map($"the token of {product}", e);
        }
    }

    /// <summary>Returns the failure; its code only if RFC 6749 defines it, because an endpoint may repeat what was sent, secret included.</summary>
    private CollectionException Refused(int status, JsonElement? body)
    {
        var error = body is { } said && JsonMember.Text(said, "error") is { } code && Errors.Contains(code) ? code : $"status {status}";
        return new(Codes.NoCredentials, $"{endpoint.Host} gave no token of {product} to client {client}: {error}");
    }
}
