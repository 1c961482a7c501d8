using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Distinguishes names of secrets from names of facts about secrets, which controls read.</summary>
public sealed class NameWordsTests
{
    [Theory]
    [InlineData("PASSWORD2")]
    [InlineData("DB_PASSWORD_OLD")]
    [InlineData("dbPasswordOld")]
    [InlineData("DB_PASSWORD_LEDGER")]
    [InlineData("pass1")]
    [InlineData("PASS_2")]
    [InlineData("TOKEN_VALUE")]
    [InlineData("GITHUB_TOKEN_CI")]
    [InlineData("SECRET_KEY_BASE")]
    [InlineData("secretValue")]
    [InlineData("ENCRYPTION_KEY")]
    [InlineData("encryptionKey")]
    [InlineData("JWT_SIGNING_KEY")]
    [InlineData("HMAC_KEY")]
    [InlineData("client_key")]
    [InlineData("storage_account_access_key")]
    [InlineData("DD_APP_KEY")]
    [InlineData("passwort")]
    [InlineData("Kennwort")]
    [InlineData("mdp")]
    [InlineData("contrase\u00f1a")]
    [InlineData("contrasena")]
    [InlineData("psw")]
    [InlineData("storepass")]
    public void What_follows_the_word_for_a_secret_as_an_addition_names_a_secret(string name)
    {
        foreach (var text in new[] { $"{name}=MARKER7dE5fGaB3dE5fG2x", $"run {name}: MARKER7dE5fGaB3dE5fG2x", $"\"{name}\": \"MARKER7dE5fGaB3dE5fG2x\"" })
            Assert.DoesNotContain("MARKER", Clean(new { description = text }), StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", Clean(new Dictionary<string, string> { [name] = "MARKER7dE5fGaB3dE5fG2x" }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("password_policy", "Strong2026Policy")]
    [InlineData("token_type", "urn:ietf:params:oauth:token-type:jwt2")]
    [InlineData("secret_name", "LedgerDb2Credentials")]
    [InlineData("key_id", "AbC123dEf456GhI789jK")]
    [InlineData("access_key_id", "AKIAIOSFODNN7EXAMPLE")]
    [InlineData("password_last_used", "2026-11-13T08:05:00Z")]
    [InlineData("PasswordLastUsed", "2026-11-13T08:05:00Z")]
    [InlineData("token_expires_at", "2026-11-13T08:05:00Z")]
    [InlineData("PASSWORD_EXPIRES_AT", "2026-11-13T08:05:00Z")]
    [InlineData("PASSWORD_HASH_ALGORITHM", "pbkdf2-sha256-v2")]
    [InlineData("TOKEN_ENDPOINT_AUTH", "Client2Secret3Basic4")]
    [InlineData("access_key_1_last_rotated", "2026-11-13T08:05:00Z")]
    [InlineData("password_next_rotation", "2026-11-13T08:05:00Z")]
    [InlineData("passwordSecretRef", "LedgerDb2Credentials")]
    [InlineData("secretArn", "Ledger2Credentials9")]
    [InlineData("tokenVersion", "V2x9Abcdefgh")]
    [InlineData("encryptionKey", "arn:aws:kms:eu-west-1:111122223333:key/0d5f1c1e-5a3b-4c57-9a43-0f8b1d2c3e4f")]
    [InlineData("encryptionKey", "0d5f1c1e-5a3b-4c57-9a43-0f8b1d2c3e4f")]
    [InlineData("encryption_key", "alias/Ledger2Main9Xy8Zq")]
    [InlineData("accessKey", "AKIAIOSFODNN7EXAMPLE")]
    [InlineData("signing_key", "projects/nq-ledger/locations/eu/keyRings/r1/cryptoKeys/Signing2Key3")]
    [InlineData("clientKey", "ledger-client-key-v2")]
    [InlineData("compass2", "Abc123dEf456GhI789")]
    [InlineData("nEAPw", "lM0F7OEV0rKrT")]
    [InlineData("mdpStatus", "lM0F7OEV0rKrT")]
    public void A_fact_about_a_secret_stays(string name, string value)
    {
        var body = JsonSerializer.Serialize(new Dictionary<string, string> { [name] = value, ["note"] = $"{name}={value}" });
        Assert.Equal(JsonElement.Parse(body).ToString(), JsonElement.Parse(Clean(JsonElement.Parse(body))).ToString());
    }

    private static string Clean(object body) =>
        Encoding.UTF8.GetString(new BodyRedaction(new byte[32]).Apply(JsonSerializer.SerializeToUtf8Bytes(body), null).Body.Span);
}
