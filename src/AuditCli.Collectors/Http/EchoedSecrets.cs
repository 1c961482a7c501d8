using System.Text;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Providers quote a request they refuse, credentials included (AWS does in SignatureDoesNotMatch). What was sent in a
/// field that is not stored must not come back through the answer.
/// </summary>
internal static class EchoedSecrets
{
    /// <summary>Stands where a credential stood.</summary>
    public const string Mark = "[credential not stored]";

    // Shorter values ("close", "Bearer") are no secrets and stand in every text.
    private const int ShortestSecret = 16;

    /// <summary>The body without the values of the request's dropped fields; the same memory where it has none.</summary>
    public static ReadOnlyMemory<byte> Remove(HttpRequestMessage request, ExchangePolicy policy, ReadOnlyMemory<byte> body)
    {
        foreach (var secret in Secrets(request, policy).Distinct(StringComparer.Ordinal))
            body = Replace(body, Encoding.UTF8.GetBytes(secret));
        return body;
    }

    private static IEnumerable<string> Secrets(HttpRequestMessage request, ExchangePolicy policy)
    {
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (!policy.DroppedFields.Contains(name))
                continue;
            foreach (var word in values.SelectMany(v => v.Split(' ', ',').Select(w => w.Trim())).Where(w => w.Length >= ShortestSecret))
            {
                // What a signature covers is in the request's own record; the signature itself is not.
                if (word.StartsWith("SignedHeaders=", StringComparison.Ordinal) || word.StartsWith("Credential=", StringComparison.Ordinal) || word == "AWS4-HMAC-SHA256")
                    continue;
                var secret = word.StartsWith("Signature=", StringComparison.Ordinal) ? word["Signature=".Length..] : word;
                yield return secret;
                yield return Uri.EscapeDataString(secret);
                yield return secret.Replace("/", "\\/", StringComparison.Ordinal);
            }
        }
    }

    private static ReadOnlyMemory<byte> Replace(ReadOnlyMemory<byte> body, ReadOnlySpan<byte> secret)
    {
        if (body.Span.IndexOf(secret) < 0)
            return body;
        using var clean = new MemoryStream(body.Length);
        var rest = body.Span;
        for (int at; (at = rest.IndexOf(secret)) >= 0; rest = rest[(at + secret.Length)..])
        {
            clean.Write(rest[..at]);
            clean.Write(Encoding.UTF8.GetBytes(Mark));
        }
        clean.Write(rest);
        return clean.ToArray();
    }
}
