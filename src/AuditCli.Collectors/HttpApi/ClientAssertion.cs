using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.HttpApi;

/// <summary>Proves a client's identity with a signed JSON Web Token (RFC 7523, section 2.2), so that no secret is sent.</summary>
internal static class ClientAssertion
{
    private const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    /// <summary>A private key, with the certificate that a server may know it by.</summary>
    internal sealed record Key(RSA Private, string? Thumbprint);

    /// <summary>Reads a PEM file with an RSA key in PKCS#1 or PKCS#8, and perhaps its certificate.</summary>
    /// <exception cref="CollectionException">The file cannot be read, or has no such key.</exception>
    public static Key ReadKey(string file)
    {
        try
        {
            var pem = RegularFile.ReadAllText(file);
            var key = RSA.Create();
            key.ImportFromPem(pem);
            using var certificate = pem.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal) ? X509Certificate2.CreateFromPem(pem) : null;
            return new(key, certificate is null ? null : Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CollectionException(Codes.NoCredentials, $"the private key {file} cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The message of a parser may quote the key.
            throw new CollectionException(Codes.NoCredentials, $"{file} has no RSA private key that can be used; it must be PEM without a passphrase");
        }
    }

    /// <summary>Returns a token for one exchange, valid for five minutes.</summary>
    public static string Sign(Key key, string client, Uri audience, DateTimeOffset now)
    {
        var header = new Dictionary<string, object> { ["alg"] = "RS256", ["typ"] = "JWT" };
        if (key.Thumbprint is { } thumbprint)
            header["x5t#S256"] = thumbprint;
        var claims = new Dictionary<string, object>
        {
            ["iss"] = client,
            ["sub"] = client,
            ["aud"] = audience.AbsoluteUri,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + Life).ToUnixTimeSeconds(),
            ["jti"] = RandomNumberGenerator.GetHexString(32),
        };
        var content = $"{Encoded(header)}.{Encoded(claims)}";
        var signature = key.Private.SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{content}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>Returns the fields of the token request that carry a token.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Fields(string token) =>
        [new("client_assertion_type", Type), new("client_assertion", token)];

    private static string Encoded(Dictionary<string, object> part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
