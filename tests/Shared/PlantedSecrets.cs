using System.IO.Compression;
using System.Text;

namespace AuditCli.Tests;

/// <summary>Secrets of many kinds, assembled at run time so that secret scanners do not report this file.</summary>
public static class PlantedSecrets
{
    /// <summary>Returns each kind with a text that contains the secret, and the secret itself, which must not remain.</summary>
    /// <param name="seed">Eight letters and digits from which the secrets are made.</param>
    public static IEnumerable<(string Kind, string Text, string Secret)> Of(string seed)
    {
        var body = string.Concat(Enumerable.Repeat(seed, 12));
        var hex = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(body));
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
            ("bearer field", $"Authorization: Bearer {body[..16]}", body[..16]),
            ("basic field", $"Authorization: Basic {Base64($"ledger:{body[..17]}")}", Base64($"ledger:{body[..17]}")),
            ("password behind its option", $"mysqldump --password {body[..10]} --host db", body[..10]),
            ("token on a command line", $"run --token={body[..12]}", body[..12]),
            ("password of a connection string", $"Server=db;Uid=ledger;Pwd={body[..9]};Port=1", body[..9]),
            ("short password", $"password={seed}!", seed + "!"),
            ("secret key of a setting", $"secret_key = {body[..12]}", body[..12]),
            ("passphrase", $"passphrase: {body[..14]}", body[..14]),
            ("token in JSON inside a text", $"{{\"token\": \"{body[..12]}\"}}", body[..12]),
            ("token of a URL", $"https://hook.example/in?token={body[..12]}&x=1", body[..12]),
            ("registry of images", $"{{\"auths\":{{\"r.example\":{{\"auth\":\"{Base64($"ledger:{body[..11]}")}\"}}}}}}", Base64($"ledger:{body[..11]}")),
            ("token before a host", $"git clone https://{body[..20]}@git.example/ledger.git", body[..20]),
            ("user and password before a host", $"login ledger:{body[..10]}@db.internal now", body[..10]),
            ("Slack webhook", $"https://hooks.slack.com/services/T0AB1/B0AB1/{body[..24]}", body[..24]),
            ("signed URL of S3", $"https://s3.example/b/k?X-Amz-Date=1&X-Amz-Signature={body[..64]}", body[..64]),
            ("signed URL of Azure", $"https://a.blob.example/c?sv=2022-11-02&sig={body[..43]}", body[..43]),
            ("Stripe test key", "sk_test_" + body[..24], body[..24]),
            ("Hugging Face token", "hf_" + body[..34], body[..34]),
            ("PyPI token", "pypi-AgEIcHlwaS5vcmc" + body[..40], body[..40]),
            ("Shopify token", "shpat_" + body[..32], body[..32]),
            ("age key", "AGE-SECRET-KEY-1" + body[..58].ToUpperInvariant(), body[..58].ToUpperInvariant()),
            ("PGP private key", $"-----BEGIN PGP PRIVATE KEY BLOCK-----\nComment: a-b\n\n{body}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----", body),
            ("line of htpasswd", $"ledger:$apr1${seed}${body[..22]}", body[..22]),
            ("line of htpasswd with bcrypt", $"ledger:$2y$05${body[..53]}", body[..53]),
            ("GitHub token of an application", "gho_" + body[..36], body[..36]),
            ("GitHub token of an installation", "ghs_" + body[..36], body[..36]),
            ("GitLab runner's token", "glrt-" + body[..20], body[..20]),
            ("GitLab deployment token", "gldt-" + body[..20], body[..20]),
            ("Slack token of a person", "xoxp-" + body[..40], body[..40]),
            ("Slack token of an application", "xapp-1-" + body[..40], body[..40]),
            ("Teams webhook", $"https://ledger.webhook.office.com/webhookb2/{body[..36]}@{body[..30]}/IncomingWebhook/{body[..32]}", body[..36]),
            ("Discord webhook", $"https://discord.com/api/webhooks/123456789012345678/{body[..68]}", body[..68]),
            ("Telegram bot", $"https://api.telegram.org/bot123456789:AA{body[..33]}/getMe", body[..33]),
            ("Stripe restricted key", "rk_live_" + body[..24], body[..24]),
            ("Stripe signing secret", "whsec_" + body[..32], body[..32]),
            ("Square token", "sq0atp-" + body[..22], body[..22]),
            ("Twilio key", "SK" + hex[..32], hex[..32]),
            ("Vault batch token", "hvb." + body[..60], body[..60]),
            ("Terraform token", $"{body[..14]}.atlasv1.{body[..67]}", body[..67]),
            ("DigitalOcean token", "dop_v1_" + hex[..64], hex[..64]),
            ("DigitalOcean refresh token", "dor_v1_" + hex[..64], hex[..64]),
            ("Databricks token", "dapi" + hex[..32] + "-2", hex[..32]),
            ("Google client secret", "GOCSPX-" + body[..28], body[..28]),
            ("Google refresh token", "1//0" + body[..60], body[..60]),
            ("Firebase server key", $"AAAA{body[..7]}:APA91b{body}{body[..36]}", body),
            ("model provider key of Anthropic", "sk-ant-api03-" + body[..80], body[..80]),
            ("model provider key of a project", "sk-proj-" + body[..80], body[..80]),
            ("model provider key of Groq", "gsk_" + body[..52], body[..52]),
            ("Entra client secret", $"{body[..3]}8Q~{body[3..34]}", body[3..34]),
            ("Service Bus connection", $"Endpoint=sb://q.example/;SharedAccessKeyName=Root;SharedAccessKey={body[..43]}=", body[..43]),
            ("Docker Hub token", "dckr_pat_" + body[..27], body[..27]),
            ("Grafana token", $"glsa_{body[..32]}_1a2b3c4d", body[..32]),
            ("Atlassian token", $"ATATT3xFfGF0{body}=1A2B3C4D", body),
            ("Bitbucket password", "ATBB" + body[..32], body[..32]),
            ("Postman key", $"PMAK-{hex[..24]}-{hex[..34]}", hex[..34]),
            ("New Relic key", "NRAK-" + body[..27].ToUpperInvariant(), body[..27].ToUpperInvariant()),
            ("Sentry token", "sntryu_" + hex[..64], hex[..64]),
            ("Tailscale key", $"tskey-auth-{body[..12]}-{body[..32]}", body[..32]),
            ("RubyGems key", "rubygems_" + hex[..48], hex[..48]),
            ("Sonar token", "squ_" + hex[..40], hex[..40]),
            ("Linear key", "lin_api_" + body[..40], body[..40]),
            ("Netlify token", "nfp_" + body[..36], body[..36]),
            ("Figma token", "figd_" + body[..40], body[..40]),
            ("Heroku key", "HRKU-AA" + body[..58], body[..58]),
            ("Doppler token", "dp.pt." + body[..43], body[..43]),
            ("CircleCI token", $"CCIPAT_{body[..22]}_{hex[..40]}", hex[..40]),
            ("OpenSSH private key", $"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----", body),
            ("encrypted private key", $"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----", body),
            ("session token of a profile", $"aws_session_token = {body}", body),
            ("password of a JDBC URL", $"jdbc:postgresql://db.internal/ledger?user=ledger&password={body[..11]}", body[..11]),
            ("password of a MongoDB URL", $"mongodb+srv://ledger:{body[..15]}@cluster0.example/ledger", body[..15]),
            ("key in a field of a request", $"X-Api-Key: {body[..19]}", body[..19]),
            ("key of a URL", $"https://api.example/v1/items?api_key={body[..21]}&page=2", body[..21]),
            ("client secret in a form", $"grant_type=client_credentials&client_secret={body[..23]}&scope=read", body[..23]),
            ("password in a shell script", $"export DB_PASSWORD='{body[..25]}'", body[..25]),
            ("base64 twice", Base64(Base64($"password={body[..17]}")), Base64(Base64($"password={body[..17]}"))),
            ("hexadecimal",
                Convert.ToHexStringLower(Encoding.UTF8.GetBytes($"password={body[..17]}")),
                Convert.ToHexStringLower(Encoding.UTF8.GetBytes($"password={body[..17]}"))),
            ("gzip in base64", Gzip($"#!/bin/sh\nexport API_TOKEN={body[..18]}\n"), Gzip($"#!/bin/sh\nexport API_TOKEN={body[..18]}\n")[20..]),
        ];
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return Convert.ToBase64String(packed.ToArray());
    }
}
