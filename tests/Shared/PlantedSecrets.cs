namespace AuditCli.Tests;

/// <summary>Twenty-two kinds of secrets, put together at run time so that no scanner takes this file for a leak.</summary>
public static class PlantedSecrets
{
    /// <summary>Each with the text it stands in, and the part of it that must not stay.</summary>
    /// <param name="seed">Eight letters and digits that the secrets are made of.</param>
    public static IEnumerable<(string Kind, string Text, string Secret)> Of(string seed)
    {
        var body = string.Concat(Enumerable.Repeat(seed, 12));
        return
        [
            ("private key", $"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----", body),
            ("RSA private key", $"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----", body),
            ("private key that is cut off", $"-----BEGIN EC PRIVATE KEY-----\n{body}", body),
            ("JSON web token", $"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{body[..43]}", body[..43]),
            ("password in a URL", $"postgres://ledger:{body[..20]}@db.internal:5432/ledger", body[..20]),
            ("password in a URL without a user", $"redis://:{body[..16]}@cache:6379/0", body[..16]),
            ("GitHub token", "ghp_" + body[..36], body[..36]),
            ("GitHub fine-grained token", "github_pat_" + body[..60], body[..60]),
            ("GitLab token", "glpat-" + body[..20], body[..20]),
            ("Slack token", "xoxb-" + body[..24], body[..24]),
            ("Google API key", "AIza" + body[..35], body[..35]),
            ("Google access token", "ya29." + body[..60], body[..60]),
            ("Stripe key", "sk_live_" + body[..24], body[..24]),
            ("model provider key", "sk-" + body[..48], body[..48]),
            ("npm token", "npm_" + body[..36], body[..36]),
            ("SendGrid key", $"SG.{body[..22]}.{body[..43]}", body[..43]),
            ("Vault token", "hvs." + body[..24], body[..24]),
            ("Azure storage key", $"DefaultEndpointsProtocol=https;AccountKey={body[..86]}==", body[..86]),
            ("AWS secret key of a profile", $"aws_secret_access_key = {body[..40]}", body[..40]),
            ("password in JSON inside a text", $"{{\"password\":\"{body[..16]}\"}}", body[..16]),
            ("password in YAML inside a text", $"password: {body[..16]}", body[..16]),
            ("password on a command line", $"--db-password={body[..16]}", body[..16]),
        ];
    }
}
