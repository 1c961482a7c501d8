using System.Buffers.Text;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Determines the identity that the API server reports for the caller. Servers before 1.26 do not offer that; then the identity is taken
/// from the message of their refusal, or finally from the credentials and marked as only claimed.
/// </summary>
internal static class KubernetesIdentity
{
    private static readonly string[] Versions = ["v1", "v1beta1", "v1alpha1"];

    /// <summary>The path of the first request of a session; the part before it in a recorded URI is the cluster's own path.</summary>
    public static string FirstPath => Path(Versions[0]);

    /// <exception cref="CollectionException">The server refuses the caller or does not respond.</exception>
    public static async Task<string> FindAsync(KubernetesSession session, bool replay, CancellationToken cancellationToken)
    {
        foreach (var version in Versions)
        {
            try
            {
                var review = await session.ReviewAsync(Path(version), "SelfSubjectReview", cancellationToken);
                return Username(review) ?? throw new CollectionException(Codes.MalformedResponse, "the SelfSubjectReview names no user");
            }
            catch (CollectionException e) when (e.Code == KubernetesCodes.Forbidden && Refused(e.Message) is { } user)
            {
                return $"{user} (named by the API server's refusal)";
            }
            catch (CollectionException e) when (e.Code is KubernetesCodes.NotFound or KubernetesCodes.Forbidden)
            {
                // An older server; it may serve the next version.
            }
        }
        // A replay has no credentials, and what they claimed was not recorded.
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

    /// <summary>Returns the user in <c>... is forbidden: User "alice" cannot create ...</c>.</summary>
    private static string? Refused(string message)
    {
        const string Before = "User \"";
        var start = message.IndexOf(Before, StringComparison.Ordinal);
        var end = start < 0 ? -1 : message.IndexOf('"', start + Before.Length);
        return end > start + Before.Length ? message[(start + Before.Length)..end] : null;
    }

    /// <summary>
    /// Returns the subject of a client certificate, which takes precedence on a server, or of a token with a readable subject.
    /// </summary>
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

    /// <summary>Returns the <c>sub</c> claim of a JSON Web Token; null if the token is not one.</summary>
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
            // An opaque token.
            return null;
        }
    }
}
