using System.Buffers.Text;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Whom the API server takes the caller for. Servers before 1.26 cannot be asked; then their refusal names the caller, or at
/// last the credentials say whom they claim to be, and the identity says that it is only claimed.
/// </summary>
internal static class KubernetesIdentity
{
    private static readonly string[] Versions = ["v1", "v1beta1", "v1alpha1"];

    /// <summary>The first request a session makes; what stands before it in a recorded URI is the cluster's own path.</summary>
    public static string FirstPath => Path(Versions[0]);

    /// <exception cref="CollectionException">The server does not let the caller in, or does not answer.</exception>
    public static async Task<string> FindAsync(KubernetesSession session, bool replay, CancellationToken cancellationToken)
    {
        foreach (var version in Versions)
        {
            try
            {
                var review = await session.ReviewAsync(Path(version), "SelfSubjectReview", cancellationToken);
                return Username(review) ?? throw new CollectionException(KubernetesFailures.MalformedResponse, "the SelfSubjectReview names no user");
            }
            catch (CollectionException e) when (e.Code == "Forbidden" && Refused(e.Message) is { } user)
            {
                return $"{user} (named by the API server's refusal)";
            }
            catch (CollectionException e) when (e.Code is KubernetesFailures.NotFound or "Forbidden")
            {
                // An older server; the next version may be served.
            }
        }
        // A replay has no credentials, and what they claimed was never recorded.
        return Connection.Claimed + (replay ? "unknown (not recorded)" : await SubjectAsync(session.Access, cancellationToken) ?? "unknown");
    }

    private static string Path(string version) => $"/apis/authentication.k8s.io/{version}/selfsubjectreviews";

    private static string? Username(JsonElement review) =>
        review.ValueKind == JsonValueKind.Object
            && review.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.Object
            && status.TryGetProperty("userInfo", out var user) && user.ValueKind == JsonValueKind.Object
            && user.TryGetProperty("username", out var name) && name.ValueKind == JsonValueKind.String && name.GetString() is { Length: > 0 } text
            ? text
            : null;

    /// <summary>The user in <c>... is forbidden: User "alice" cannot create ...</c>.</summary>
    private static string? Refused(string message)
    {
        const string Before = "User \"";
        var start = message.IndexOf(Before, StringComparison.Ordinal);
        var end = start < 0 ? -1 : message.IndexOf('"', start + Before.Length);
        return end > start + Before.Length ? message[(start + Before.Length)..end] : null;
    }

    /// <summary>The subject of a client certificate, which a server looks at first, or of a token that has a readable one.</summary>
    private static async Task<string?> SubjectAsync(ClusterAccess access, CancellationToken cancellationToken)
    {
        if (access.Certificate()?.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name)
            return name;
        return await access.Authorization(cancellationToken) switch
        {
            { Scheme: "Bearer", Parameter: { } token } => TokenSubject(token),
            { Scheme: "Basic", Parameter: { } pair } => Encoding.UTF8.GetString(Convert.FromBase64String(pair)).Split(':')[0],
            _ => null,
        };
    }

    /// <summary>Of a JSON Web Token its <c>sub</c>, and nothing else; null when it is not one.</summary>
    private static string? TokenSubject(string token)
    {
        if (token.Split('.') is not [_, var payload, _])
            return null;
        try
        {
            var claims = JsonElement.Parse(Base64Url.DecodeFromUtf8(Encoding.UTF8.GetBytes(payload)));
            return claims.ValueKind == JsonValueKind.Object && claims.TryGetProperty("sub", out var subject) && subject.ValueKind == JsonValueKind.String
                ? subject.GetString()
                : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;    // an opaque token
        }
    }
}
