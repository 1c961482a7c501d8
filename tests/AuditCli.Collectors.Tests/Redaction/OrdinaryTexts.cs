using System.Globalization;
using System.Text;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>
/// Texts as providers return and people write them, built from realistic parts. None contains a secret, but many mention one.
/// </summary>
internal sealed class OrdinaryTexts(int seed)
{
    private static readonly string[] Teams =
    [
        "ledger", "matching", "trading", "settlement", "risk", "treasury", "onboarding", "payments", "reporting", "platform",
    ];
    private static readonly string[] Things = ["api", "worker", "gateway", "batch-runner", "web", "exporter", "operator", "scheduler", "proxy", "archive"];
    private static readonly string[] Stages = ["prod", "dev", "staging", "test", "dr", "eu", "sandbox"];
    private static readonly string[] People = ["elena.marsh", "tom.okafor", "j.weber2", "ines.carvalho", "noah-fischer", "AnnaLind", "p.singh", "mkowalski"];
    private static readonly string[] Regions = ["eu-west-1", "us-east-1", "europe-west3", "ap-southeast-2", "us-gov-west-1"];

    private static readonly string[] Sentences =
    [
        "Rotates the password every {n} days", "Password policy: minimum length {n}, reuse prevention 24",
        "password: rotated quarterly by the {team} team", "The secret is kept in Secrets Manager as {name}",
        "secret: {name}", "secret = {name}", "secretName: {name}-tls-{hash5}", "Access token lifetime is {n} minutes",
        "token: issued by the identity provider", "token expires in {n} hours",
        "Basic authentication is disabled for {name}", "Bearer tokens are accepted by {name} only",
        "authorization: required for every call to {name}", "Authorization: see the runbook of {team}",
        "api key rotation for {team} ({stage}), ticket CHG-{num}", "--password-file=/run/secrets/{name} --token-ttl={n}",
        "--secret-name {name} --region {region}", "--authorization-mode=Node,RBAC --anonymous-auth=false",
        "password = var.db_password", "password: ${{DB_PASSWORD}}", "PASSWORD=$DB_PASSWORD",
        "password={{{{resolve:secretsmanager:{name}}}}}", "postgres://ledger:${{DB_PASSWORD}}@db.internal:5432/{team}",
        "password_encryption=scram-sha-256", "passwordSecretRef: {name}", "MinimumPasswordLength={n}",
        "password_last_used = '2026-{month}-{day}'", "SELECT \"user\" FROM credential_report WHERE password_enabled IS TRUE",
        "password: ********", "Passphrase of the signing key: held by {person}", "passphrase: required", "pwd=/home/{team}",
        "Resets the passwords of {person} after {n} failures", "client secret: see vault, {n} months",
        "Owner:{person}@northquay.example", "contact:{person}@northquay.example", "user:{person}@northquay.example",
        "serviceAccount:{name}@nq-{team}-{stage}.iam.gserviceaccount.com",
        "serviceAccount:{num}-compute@developer.gserviceaccount.com", "serviceAccount:service-{num}@gcp-sa-pubsub.iam.gserviceaccount.com",
        "deleted:user:{person}@northquay.example?uid={num}", "git@github.com:northquay/{name}.git",
        "https://{team}@dev.azure.com/northquay/{name}", "ssh://git@git.northquay.example/{name}.git",
        "sftp://transfer@files.{team}.example/in", "mailto:{person}@northquay.example",
        "https://{name}.northquay.example/callback?state={hash16}&page={n}",
        "https://{name}.northquay.example/v1/items?pageToken={base64}&maxResults=100", "https://hooks.northquay.example/{name}",
        "docker-pullable://nginx:1.{n}@sha256:{hash64}", "registry.northquay.example/{team}/{thing}:{n}.{n}.{n}",
        "registry.northquay.example/{team}/{thing}@sha256:{hash64}", "quay.io/{team}/{thing}:v{n}.{n}-{hash7}",
        "{account}.dkr.ecr.{region}.amazonaws.com/{name}:{hash40}", "arn:aws:iam::{account}:role/{team}/{name}-role",
        "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{mixed6}",
        "arn:aws:kms:{region}:{account}:key/{guid}", "arn:aws:lambda:{region}:{account}:function:{name}:{n}",
        "arn:aws:sns:{region}:{account}:{Team}Alerts{n}", "arn:aws:s3:::nq-{name}-{account}",
        "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hash16}",
        "arn:aws:ssm:{region}:{account}:parameter/{team}/{stage}/db/password", "projects/nq-{team}/secrets/{name}-token/versions/{n}",
        "i-{hash17}", "vpc-{hash17}", "AKIA{upper16}", "AIDA{upper17}", "AROA{upper17}:{person}", "{guid}", "sha256:{hash64}", "{hash64}",
        "{hash40}", "{hash32}", "\"{hash32}-{n}\"", "W/\"{hash40}\"", "{base64}", "{base64}{base64}",
        "SHA256:{base43}", "checksum/config: {hash64}", "pod-template-hash={hash10}", "{name}-{hash10}-{mixed5}", "default-token-{mixed5}",
        "kube-root-ca.crt", "eks.amazonaws.com/role-arn=arn:aws:iam::{account}:role/{name}",
        "Owner={team}; Stage={stage}; CostCenter={num}", "created_by=terraform,commit={hash40}", "signature_version=4",
        "SignatureMethod=HmacSHA256", "sk-{stage}-{team}-{thing}", "npm_config_registry=https://npm.northquay.example", "hf_cache_dir",
        "SG.{team}.{stage}", "sk-learn model of {team}", "pypi-{team}-mirror-internal-{stage}", "PyPI-proxy of {team}",
        "{{\"eventName\":\"GetSecretValue\",\"requestParameters\":{{\"secretId\":\"{name}\",\"versionStage\":\"AWSCURRENT\"}}}}",
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\","
        + "\"Resource\":\"arn:aws:iam::{account}:role/{name}\"}}]}}",
        "{{\"auth\":\"oidc\",\"token\":\"projected\",\"secret\":\"{name}\"}}",
        "{{\"secret\":\"{name}-{hash5}\",\"items\":[{{\"key\":\"token\",\"path\":\"token\"}}]}}",
        "{{\"nextToken\":\"{base64}\",\"clientToken\":\"{guid}\"}}", "NextToken={base64}", "clientRequestToken: {guid}",
        "mysql -h {name}.db.internal -P 3306 -p", "docker run -u 1000:1000 {name}", "curl -u $USER:$PASS https://{name}.example",
        "kubectl get secret {name} -o yaml", "Bearer of certificate {hash16}", "basic {name}",
        "-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\n{base64}{base64}\n-----END PUBLIC KEY-----", "{der}",
        "ssh-rsa AAAAB3NzaC1yc2E{base64}{base64} {person}@host{n}",
        "{day}/{month}/2026 10:{n}:07 backup of {name} took {n} min", "Reviewed by {person} on 2026-{month}-{day}, see CHG-{num}",
        "Access for {person} ends 2026-{month}-{day}T08:{n}:00Z", "10.{n}.{n}.0/24", "version {n}.{n}.{n}+build.{n}",
        "The token of {team}'s runner is rotated by {name}.", "No password is stored: federation through {name}",
        "Passwords expire after {n} days; tokens after {n} hours", "Secret scanning: enabled on {name}",
        "private key: held in KMS as alias/{name}",
        "api_key: see {name}", "apikey header required", "X-Api-Key is checked by {name}", "access_token: short-lived, {n} minutes",
        "auth: oidc", "auth=none", "webhook_url: configured in {stage}", "passwd file of {name} is read-only",
        "Password reset for {person}: approved", "password=required", "password: true", "{team}:{thing}@{stage}",
        "user {person}:{team}@{name}", "cn={person},ou={team},dc=northquay,dc=example", "H4sI is how gzip begins",
        "GitHub app {name}, installation {num}", "sig={stage}", "signature={name}", "$2 of {n} approvals", "$5 per {n} calls",
        "token_type=bearer expires_in=3600", "grant_type=client_credentials", "id_token_signed_response_alg: RS256",
        // Texts with the prefixes of known services' tokens.
        "SKU {num} of {team}", "SK{num}", "SK-{stage}-{thing}", "dapi-{team}-{stage}", "dapi{num}", "glsa_{stage}_{team}", "glrt-{team}-{thing}-{stage}",
        "gldt-deployment-tokens-of-{name}", "rating {num}:AAA of {team}", "{num}:AA-{name}", "1//0 and 1//{n}", "https://{name}.example//0/{hash40}",
        "tskey-{team}-{stage}-{thing}-rotation", "sqp_{team}", "squ_{hash10}", "nfp_{stage}_{team}_{thing}", "gsk_{team}_in_{region}", "xai-{team}-{thing}",
        "hvb.{team}.{stage}", "dp.pt.{team}", "lin_api_{team}", "rubygems_{team}_mirror", "figd_{stage}", "8Q~ {n}", "app.atlasv1.{team}", "dckr_pat_{stage}",
        "pscale_tkn_{team}", "sntrys_{team}_{stage}", "ATATT3 of {team}", "PMAK-{stage}", "GOCSPX-{team}", "sk-proj-{team}-{thing}-{stage}",
        "sk-ant-{team}-{thing}",
    ];

    private readonly Random _random = new(seed);

    public IEnumerable<string> Take(int count) => Enumerable.Range(0, count).Select(_ => One());

    private string One()
    {
        var pattern = Sentences[_random.Next(Sentences.Length)];
        var text = new StringBuilder();
        for (var at = 0; at < pattern.Length; at++)
        {
            if (pattern[at] is '{' or '}' && at + 1 < pattern.Length && pattern[at + 1] == pattern[at])
                text.Append(pattern[at++]);
            else if (pattern[at] == '{')
            {
                var end = pattern.IndexOf('}', at);
                text.Append(Part(pattern[(at + 1)..end]));
                at = end;
            }
            else
                text.Append(pattern[at]);
        }
        return text.ToString();
    }

    private string Part(string name) => name switch
    {
        "n" => Number(100),
        "num" => _random.NextInt64(100000000000, 999999999999).ToString(CultureInfo.InvariantCulture),
        "account" => _random.NextInt64(100000000000, 999999999999).ToString(CultureInfo.InvariantCulture),
        "month" => _random.Next(1, 13).ToString("d2", CultureInfo.InvariantCulture),
        "day" => _random.Next(1, 29).ToString("d2", CultureInfo.InvariantCulture),
        "team" => Of(Teams),
        "Team" => char.ToUpperInvariant(Of(Teams) is var team ? team[0] : ' ') + team[1..],
        "thing" => Of(Things),
        "stage" => Of(Stages),
        "person" => Of(People),
        "region" => Of(Regions),
        "name" => $"{Of(Teams)}-{Of(Things)}-{Of(Stages)}" + (_random.Next(3) == 0 ? "-v" + Number(20) : ""),
        "guid" => new Guid(Bytes(16)).ToString(),
        "base64" => Convert.ToBase64String(Bytes(_random.Next(18, 60))),
        "base43" => Convert.ToBase64String(Bytes(32)).TrimEnd('='),
        "der" => "MIID" + Convert.ToBase64String(Bytes(_random.Next(600, 1200))),
        "mixed5" => Letters("abcdefghijklmnopqrstuvwxyz0123456789", 5),
        "mixed6" => Letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 6),
        "upper16" => Letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        "upper17" => Letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17),
        _ when name.StartsWith("hash", StringComparison.Ordinal) => Letters("0123456789abcdef", int.Parse(name[4..], CultureInfo.InvariantCulture)),
        _ => throw new InvalidOperationException(name),
    };

    private string Number(int below) => _random.Next(1, below).ToString(CultureInfo.InvariantCulture);

    private string Of(string[] words) => words[_random.Next(words.Length)];

    private string Letters(string of, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => of[_random.Next(of.Length)]));

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }
}
