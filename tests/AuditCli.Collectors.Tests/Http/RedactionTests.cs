using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Tests.Http;

public sealed class RedactionTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    /// <summary>Twenty-two kinds of secrets, put together at run time so that no scanner takes this file for a leak. The second is what must not stay.</summary>
    public static TheoryData<string, string, string> Secrets
    {
        get
        {
            var body = string.Concat(Enumerable.Range(0, 12).Select(i => "aB3dE5fG"));
            var data = new TheoryData<string, string, string>();
            foreach (var (kind, text, secret) in new[]
            {
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
            })
            {
                data.Add(kind, text, secret);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Secrets))]
    public void A_secret_is_replaced_alone_inside_a_text_and_outside_of_JSON(string kind, string text, string secret)
    {
        foreach (var body in new[]
        {
            JsonSerializer.Serialize(new { items = new[] { new { metadata = new { annotations = new { note = text } } } } }),
            JsonSerializer.Serialize(new { description = $"see \"below\"\n{text}\nend" }),
            $"<Answer><Note>{text}</Note></Answer>",
        })
        {
            var (clean, digest) = Apply(body);
            Assert.False(clean.Contains(secret, StringComparison.Ordinal), $"{kind}: {clean}");
            Assert.StartsWith("hmac-sha256:", digest, StringComparison.Ordinal);
            Assert.Contains("hmac-sha256:", clean, StringComparison.Ordinal);
            if (body.StartsWith('{'))
                Assert.Single(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10));
            Assert.Equal((clean, null), Apply(clean));
        }
    }

    [Theory]
    [InlineData("""{"user":"arn:aws:iam::111122223333:user/elena.marsh","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","passwordLastUsed":"2026-11-13T08:05:00Z"}""")]
    [InlineData("""{"NextToken":"AAMA-EFRSURBSGhQ0eXNlbnRlbmNl0123456789","nextPageToken":"t2","continue":"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0"}""")]
    [InlineData("""{"nextPageToken":"eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl"}""")]
    [InlineData("""{"url":"https://registry.example/team/app@sha256:7d1f0a2c5d3f2b8a4a0a5f0f9e6f8b7c","mail":"user:elena.marsh@northquay.example"}""")]
    [InlineData("""{"pem":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----","key":"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----"}""")]
    [InlineData("""{"Statement":[{"Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:eu-west-1:1:secret:ledger-AbCdEf"}],"password_enabled":"true"}""")]
    [InlineData("""{"metadata":{"items":[{"key":"enable-oslogin","value":"TRUE"},{"key":"serial-port-enable","value":"0"}]}}""")]
    [InlineData("<Content>dXNlcixhcm4sdXNlcl9jcmVhdGlvbl90aW1lAIzaSyD4aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8K</Content>")]
    [InlineData("")]
    [InlineData("not found")]
    public void What_controls_look_at_stays(string body) => Assert.Equal((body, null), Apply(body));

    [Fact]
    public void Environment_values_go_whatever_they_look_like_and_every_other_byte_stays()
    {
        const string Body = """
            { "kind": "PodList", "items": [ { "spec": { "initContainers": [{"env":[{"name":"A","value":"x"}]}],
              "containers": [ { "name": "c\u0041\/", "n": 1.50, "big": 9007199254740993, "e": 1e3,
                "env": [ {"name":"PLAIN","value":"quiet"}, {"name":"FROM","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}, {"name":"EMPTY","value":""} ] } ] } } ],
              "value": "quiet", "env": [{"value":"stays"}] }
            """;
        var (clean, _) = Apply(Body);
        var (x, quiet) = (Mark("x"), Mark("quiet"));
        Assert.Equal(Body.Replace("\"name\":\"A\",\"value\":\"x\"", $"\"name\":\"A\",\"value\":\"{x}\"", StringComparison.Ordinal)
            .Replace("\"PLAIN\",\"value\":\"quiet\"", $"\"PLAIN\",\"value\":\"{quiet}\"", StringComparison.Ordinal), clean);
        Assert.Equal(
            [("/items/0/spec/initContainers/0/env/0/value", "environment", x), ("/items/0/spec/containers/0/env/0/value", "environment", quiet)],
            BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10).Select(r => (r.Pointer, r.Rule, r.Digest)));
    }

    [Theory]
    [InlineData("""{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"MARKER"}}}""")]
    [InlineData("""{"Functions":[{"Environment":{"Variables":{"DATABASE":"MARKER"}}}]}""")]
    [InlineData("""{"taskDefinition":{"containerDefinitions":[{"environment":[{"name":"D","value":"MARKER"}]}]}}""")]
    [InlineData("""{"tasks":[{"overrides":{"containerOverrides":[{"name":"kept","environment":[{"name":"D","value":"MARKER"}]}]}}]}""")]
    [InlineData("""{"containerServices":[{"currentDeployment":{"containers":{"web":{"image":"kept","environment":{"D":"MARKER"}}}}}]}""")]
    [InlineData("""{"Containers":[{"Image":"kept","Environment":{"D":"MARKER"}}]}""")]
    [InlineData("""{"PrimaryContainer":{"Image":"kept","Environment":{"D":"MARKER"}}}""")]
    [InlineData("""{"CodeConfigurationValues":{"Runtime":"kept","RuntimeEnvironmentVariables":{"D":"MARKER"}}}""")]
    [InlineData("""{"apiKeys":[{"id":"MARKER","description":"kept"}]}""")]
    [InlineData("""{"UserPoolClient":{"ClientId":"kept","ClientSecret":"MARKER"}}""")]
    [InlineData("""{"projects":[{"name":"kept","webhook":{"secret":"MARKER"}}]}""")]
    [InlineData("<vpnConnection><state>kept</state><customerGatewayConfiguration>&lt;psk&gt;MARKER&lt;/psk&gt;</customerGatewayConfiguration></vpnConnection>")]
    [InlineData("""{"LaunchTemplateData":{"UserData":"MARKER"}}""")]
    [InlineData("""{"metadata":{"items":[{"key":"startup-script","value":"#!/bin/sh\nlogin MARKER"}]}}""")]
    [InlineData("""{"clusters":[{"masterAuth":{"clientKey":"MARKER","clusterCaCertificate":"kept"}}]}""")]
    [InlineData("<DescribeInstanceAttributeResponse><userData><value>MARKER</value></userData></DescribeInstanceAttributeResponse>")]
    public void Named_places_are_emptied_whatever_stands_there(string body)
    {
        var (clean, digest) = Apply(body);
        Assert.DoesNotContain("MARKER", clean, StringComparison.Ordinal);
        Assert.NotNull(digest);
        Assert.Equal(body.Contains("kept", StringComparison.Ordinal), clean.Contains("kept", StringComparison.Ordinal));
    }

    [Fact]
    public void Equal_secrets_are_equal_under_one_key_and_differ_under_another()
    {
        const string Body = """{"a":{"Environment":{"Variables":{"X":"same","Y":"same","Z":"other"}}}}""";
        var values = Values(Apply(Body).Body);
        Assert.Equal(values[0], values[1]);
        Assert.NotEqual(values[0], values[2]);
        var elsewhere = new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(Body));
        Assert.NotEqual(values[0], Values(Encoding.UTF8.GetString(elsewhere.Body.Span))[0]);

        static string[] Values(string body) => [.. JsonElement.Parse(body).GetProperty("a").GetProperty("Environment").GetProperty("Variables").EnumerateObject().Select(v => v.Value.GetString()!)];
    }

    [Fact]
    public void What_is_no_JSON_after_all_is_cleaned_as_a_text()
    {
        var secret = "ghp_" + new string('x', 36);
        foreach (var body in new[] { $$"""{"a": "{{secret}}" """, $$"""{"a" "{{secret}}"}""", new string('[', 300) + $"\"{secret}\"" })
        {
            var clean = Apply(body).Body;
            Assert.DoesNotContain(secret, clean, StringComparison.Ordinal);
            Assert.Single(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10));
        }
    }

    [Theory]
    [InlineData("""{"containers":[{"env":[{"name":"A","value":"MARKER"}]}], "torn": """)]
    [InlineData("""{"note":"\ud800 alone","containers":[{"env":[{"name":"A","value":"MARKER"}]}]}""")]
    [InlineData("""{"containers":[{"env":[{"name":"A","value":"MARKER \ud800"}]}]}""")]
    [InlineData("""{"\ud800":1,"containers":[{"env":[{"name":"A","value":"MARKER"}]}]}""")]
    public void Named_places_are_emptied_in_answers_that_nobody_can_read_to_the_end(string body)
    {
        var clean = Apply(body).Body;
        Assert.DoesNotContain("MARKER", clean, StringComparison.Ordinal);
        Assert.Single(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10));
    }

    private static (string Body, string? Digest) Apply(string body)
    {
        var (clean, digest) = new BodyRedaction(Key).Apply(Encoding.UTF8.GetBytes(body));
        return (Encoding.UTF8.GetString(clean.Span), digest);
    }

    private static string Mark(string secret) => "hmac-sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(secret)));
}
