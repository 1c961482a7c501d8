using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Tests.Aws;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Redaction;

public sealed class RedactionTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public static TheoryData<string, string, string> Secrets
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (kind, text, secret) in PlantedSecrets.Of("aB3dE5fG"))
                data.Add(kind, text, secret);
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
                Assert.Single(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null));
            Assert.Equal((clean, null), Apply(clean));
        }
    }

    [Theory]
    [InlineData("""{"user":"arn:aws:iam::111122223333:user/elena.marsh","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","passwordLastUsed":"2026-11-13T08:05:00Z"}""")]
    [InlineData("""{"NextToken":"AAMA-EFRSURBSGhQ0eXNlbnRlbmNl0123456789","nextPageToken":"t2","continue":"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0"}""")]
    [InlineData("""{"url":"https://registry.example/team/app@sha256:7d1f0a2c5d3f2b8a4a0a5f0f9e6f8b7c","mail":"user:elena.marsh@northquay.example"}""")]
    [InlineData(
        """{"pem":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----","key":"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----"}""")]
    [InlineData(
        """{"Statement":[{"Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:eu-west-1:1:secret:ledger-AbCdEf"}],"password_enabled":"true"}""")]
    [InlineData("""{"metadata":{"items":[{"key":"enable-oslogin","value":"TRUE"},{"key":"serial-port-enable","value":"0"}]}}""")]
    [InlineData(
        """{"commonInstanceMetadata":{"items":[{"key":"block-project-ssh-keys","value":"true"}]},"nodeConfig":{"metadata":{"disable-legacy-endpoints":"true"}}}""")]
    [InlineData(
        """{"Parameters":[{"ParameterName":"rds.force_ssl","ParameterValue":"1"}],"AllowUsersToChangePassword":true,"MinimumPasswordLength":14,"PasswordReusePrevention":"24"}""")]
    [InlineData(
        """{"OptionSettings":[{"Name":"SQLNET.ENCRYPTION_SERVER","Value":"REQUIRED"}],"encryption":"hmac-sha256","annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}}""")]
    [InlineData(
        """{"CloudTrailEvent":"{\"eventName\":\"ConsoleLogin\",\"userIdentity\":{\"type\":\"Root\"},\"responseElements\":{\"ConsoleLogin\":\"Success\"}}"}""")]
    [InlineData(
        "<DescribeDBParametersResponse><Parameters><Parameter><ParameterName>rds.force_ssl</ParameterName>"
        + "<ParameterValue>1</ParameterValue></Parameter></Parameters>"
        + "</DescribeDBParametersResponse>")]
    [InlineData("<PolicyDocument>%7B%22Statement%22%3A%5B%7B%22Action%22%3A%22iam%3AChangePassword%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D</PolicyDocument>")]
    [InlineData("<Content>dXNlcixhcm4sdXNlcl9jcmVhdGlvbl90aW1lAIzaSyD4aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8K</Content>")]
    [InlineData(
        """{"containers":[{"args":["--anonymous-auth=false","--authorization-mode=Node,RBAC","--password-file=/run/secrets/db","--secret-name","ledger-db","--image-digest=sha256:7d1f0a2c5d3f2b8a4a0a5f0f9e6f8b7c"],"command":["/bin/serve"]}]}""")]
    [InlineData(
        """{"requestParameters":{"tags":[{"key":"team","value":"ledger"}],"clientToken":"0d5f1c1e-5a3b-4c57-9a43-0f8b1d2c3e4f"},"secret":"ledger-db-v2","secretName":"x","token":"projected"}""")]
    [InlineData(
        """{"members":["user:elena.marsh2@northquay.example","serviceAccount:123456789012-compute@developer.gserviceaccount.com"],"image":"docker-pullable://nginx:1.25@sha256:7d1f0a2c5d3f2b8a"}""")]
    [InlineData("<R><NextToken>abc123ABC456abc</NextToken></R>")]
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
            BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null).Select(r => (r.Pointer, r.Rule, r.Digest)));
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
    [InlineData("""{"UserPoolClient":{"ClientId":"kept","ClientSecret":"MARKER"}}""")]
    [InlineData("""{"projects":[{"name":"kept","webhook":{"secret":"MARKER"}}]}""")]
    [InlineData("<vpnConnection><state>kept</state><customerGatewayConfiguration>&lt;psk&gt;MARKER&lt;/psk&gt;</customerGatewayConfiguration></vpnConnection>")]
    [InlineData("""{"LaunchTemplateData":{"UserData":"MARKER"}}""")]
    [InlineData("""{"metadata":{"items":[{"key":"startup-script","value":"#!/bin/sh\nlogin MARKER"}]}}""")]
    [InlineData("""{"clusters":[{"masterAuth":{"clientKey":"MARKER","clusterCaCertificate":"kept"}}]}""")]
    [InlineData("<DescribeInstanceAttributeResponse><userData><value>MARKER</value></userData></DescribeInstanceAttributeResponse>")]
    [InlineData("""{"metadata":{"annotations":{"kapp.k14s.io/original":"{\"spec\":\"MARKER\"}"}}}""")]
    [InlineData("""{"spec":{"steps":[{"env":[{"name":"A","value":"MARKER"}]}]}}""")]
    [InlineData("""{"spec":{"container":{"env":[{"name":"A","value":"MARKER"}]}}}""")]
    [InlineData("""{"jobDefinitions":[{"containerProperties":{"environment":[{"name":"A","value":"MARKER"}]}}]}""")]
    [InlineData("""{"AwsCodeBuildProject":{"Environment":{"EnvironmentVariables":[{"Name":"A","Value":"MARKER","Type":"kept"}]}}}""")]
    [InlineData("""{"ImageRepository":{"ImageConfiguration":{"RuntimeEnvironmentVariables":{"A":"MARKER"}}}}""")]
    [InlineData("""{"app":{"name":"kept","environmentVariables":{"A":"MARKER"}}}""")]
    [InlineData("""{"Job":{"DefaultArguments":{"--db":"MARKER","--enable-metrics":"true"},"Name":"kept"}}""")]
    [InlineData("""{"ModelName":"kept","PrimaryContainer":{"Environment":{"A":"MARKER"}}}""")]
    [InlineData("""{"Stacks":[{"Parameters":[{"ParameterKey":"kept","ParameterValue":"MARKER"}],"Outputs":[{"OutputKey":"Url","OutputValue":"MARKER"}]}]}""")]
    [InlineData("""{"configurationItems":[{"configuration":"{\"parameters\":[{\"parameterKey\":\"kept\",\"parameterValue\":\"MARKER\"}]}"}]}""")]
    [InlineData("""{"AwsElasticBeanstalkEnvironment":{"OptionSettings":[{"OptionName":"kept","Value":"MARKER"}]}}""")]
    [InlineData("""{"AwsAutoScalingLaunchConfiguration":{"UserData":"MARKER","ImageId":"kept"}}""")]
    [InlineData("""{"AwsRdsDbInstance":{"PendingModifiedValues":{"MasterUserPassword":"MARKER"},"Engine":"kept"}}""")]
    [InlineData("""{"Commands":[{"Parameters":{"commands":["MARKER"]},"Status":"kept"}]}""")]
    [InlineData("""{"commonInstanceMetadata":{"items":[{"key":"kept","value":"admin:ssh-rsa MARKER admin"}]}}""")]
    [InlineData("""{"properties":{"metadata":{"items":[{"key":"db-password","value":"MARKER1"}]}}}""")]
    [InlineData("""{"nodePools":[{"name":"kept","config":{"metadata":{"token":"MARKER"}}}]}""")]
    [InlineData("""{"template":{"containers":[{"image":"kept","env":[{"name":"A","value":"MARKER"}]}]}}""")]
    [InlineData("""{"buildConfig":{"runtime":"kept","environmentVariables":{"A":"MARKER"}}}""")]
    [InlineData("""{"steps":[{"name":"kept","env":["A=MARKER"]}],"substitutions":{"_TOKEN":"MARKER"}}""")]
    [InlineData("""{"config":{"softwareConfig":{"envVariables":{"A":"MARKER"},"imageVersion":"kept"}}}""")]
    [InlineData("""{"name":"kept","sharedSecret":"MARKER","sharedSecretHash":"MARKER"}""")]
    [InlineData("""{"replicaConfiguration":{"mysqlReplicaConfiguration":{"username":"kept","password":"MARKER","clientKey":"MARKER"}}}""")]
    [InlineData("""{"oidc":{"clientId":"kept","clientSecret":{"value":{"plainText":"MARKER"}}}}""")]
    [InlineData("""{"diskEncryptionKey":{"rawKey":"MARKER","kmsKeyName":"kept"}}""")]
    [InlineData("""{"labels":{"DB_PASSWORD":"MARKER"},"annotations":{"example.com/api-key":"MARKER","example.com/team":"kept"}}""")]
    [InlineData(
        "<DescribeLaunchTemplateVersionsResponse><item><launchTemplateData><imageId>kept</imageId>"
        + "<userData>MARKER</userData></launchTemplateData></item></DescribeLaunchTemplateVersionsResponse>")]
    [InlineData(
        "<DescribeStacksResponse><Outputs><member><OutputKey>kept</OutputKey><OutputValue>MARKER</OutputValue></member></Outputs>"
        + "<Parameters><member><ParameterValue>MARKER</ParameterValue></member></Parameters></DescribeStacksResponse>")]
    [InlineData(
        "<DescribeOptionGroupsResponse><OptionSettings><OptionSetting><Name>kept</Name>"
        + "<Value>MARKER</Value></OptionSetting></OptionSettings></DescribeOptionGroupsResponse>")]
    [InlineData("""{"containers":[{"name":"kept","args":["--port","8080","--password","MARKER1!"]}]}""")]
    [InlineData("""{"containers":[{"name":"kept","command":["run","--token=MARKER1!"]}]}""")]
    [InlineData("""{"containers":[{"name":"kept","command":["serve","--seed","MARKERb3dE5fGaB3dE5fG"]}]}""")]
    [InlineData("""{"containers":[{"name":"kept","livenessProbe":{"httpGet":{"httpHeaders":[{"name":"X-Probe","value":"MARKER"}]}}}]}""")]
    [InlineData("""{"containers":[{"name":"kept","lifecycle":{"postStart":{"exec":{"command":["curl","-u","ledger:MARKER1!","http://db"]}}}}]}""")]
    [InlineData("""{"containers":[{"name":"kept","lifecycle":{"preStop":{"httpGet":{"httpHeaders":[{"name":"Authorization","value":"MARKER"}]}}}}]}""")]
    [InlineData("""{"metadata":{"annotations":{"ci.example/token":"MARKER1234","ci.example/team":"kept"}}}""")]
    [InlineData("""{"webhooks":[{"clientConfig":{"url":"https://kept.example/hook/MARKER?x=1"}}]}""")]
    [InlineData("""{"project":{"name":"kept","webhook":{"payloadUrl":"https://codebuild.example/webhooks?t=MARKER"}}}""")]
    [InlineData("""{"channel":{"name":"kept","slackWebhookUrl":"https://chat.example/MARKER"}}""")]
    [InlineData("""{"Endpoint":{"EngineName":"kept","ExtraConnectionAttributes":"ssl=true;Pwd=MARKER1!;x=y"}}""")]
    [InlineData("""{"jobDefinitions":[{"jobDefinitionName":"kept","containerProperties":{"command":["run","--db-password","MARKER1!"]}}]}""")]
    [InlineData("""{"taskDefinition":{"family":"kept","containerDefinitions":[{"entryPoint":["sh","-c"],"command":["mysql -h db -pMARKER1! ledger"]}]}}""")]
    [InlineData("""{"CloudTrailEvent":"{\"eventName\":\"kept\",\"requestParameters\":{\"secretString\":\"MARKER\"}}"}""")]
    [InlineData("""{"CloudTrailEvent":"{\"eventName\":\"kept\",\"requestParameters\":{\"value\":\"MARKER\",\"name\":\"p\"}}"}""")]
    [InlineData("""{"CloudTrailEvent":"{\"eventName\":\"kept\",\"requestParameters\":{\"token\":\"MARKER\"},\"responseElements\":{\"token\":\"MARKER\"}}"}""")]
    [InlineData("""{"tags":[{"Key":"db-password","Value":"MARKER1!"},{"Key":"team","Value":"kept"}]}""")]
    [InlineData("<a:R xmlns:a=\"x\"><a:Engine>kept</a:Engine><a:MasterUserPassword><![CDATA[MARKER]]></a:MasterUserPassword><Torn><preSharedKey>MARKER")]
    public void Named_places_are_emptied_whatever_stands_there(string body)
    {
        var (clean, digest) = Apply(body);
        Assert.DoesNotContain("MARKER", clean, StringComparison.Ordinal);
        Assert.NotNull(digest);
        Assert.Equal(body.Contains("kept", StringComparison.Ordinal), clean.Contains("kept", StringComparison.Ordinal));
    }

    /// <summary>
    /// Checks that what AWS marks as sensitive is removed as it appears on the wire, or is listed with the reason for keeping it.
    /// </summary>
    [Theory]
    [MemberData(nameof(CatalogueTests.Services), MemberType = typeof(CatalogueTests))]
    public void Every_member_that_the_catalogue_calls_sensitive_is_emptied_or_kept_for_a_reason(string name)
    {
        var service = new AwsCatalogue().Service(name)!;
        var keeps = AwsKeptMembers.Of(name);
        foreach (var found in SensitiveMembers.Of(service).GroupBy(m => m.Operation))
        {
            var places = AnswerSecrets.Of(service, [found.Key]);
            Assert.All(found, m =>
            {
                var kept = keeps.Any(k => k.IsAt(m.Path)) || m.Path is [var (member, _)] && found.Key.Pager?.Outputs.Contains(member!) == true;
                Assert.True(
                    kept == Apply(m.Answer, places).Body.Contains(SensitiveMembers.Marker, StringComparison.Ordinal),
                    $"{name}:{found.Key.Name} {m.Answer}");
            });
        }
    }

    [Fact]
    public void Nothing_is_kept_that_the_catalogue_does_not_call_sensitive()
    {
        var catalogue = new AwsCatalogue();
        var sensitive = catalogue.ServiceNames.ToDictionary(n => n, n => SensitiveMembers.Of(catalogue.Service(n)!).Select(m => m.Path).ToArray());
        Assert.All(AwsKeptMembers.All, k =>
        {
            Assert.NotEmpty(k.Why);
            if (k.Services == "*")
                Assert.Contains(sensitive.Values.SelectMany(s => s), k.Place.IsAt);
            else
                Assert.All(k.Services.Split(' '), s => Assert.Contains(sensitive[s], k.Place.IsAt));
        });
    }

    [Theory]
    [MemberData(nameof(Secrets))]
    public void A_secret_is_found_in_base64_with_percent_signs_and_in_a_document_inside_a_text(string kind, string text, string secret)
    {
        var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes($"#!/bin/sh\n{text}\n"));
        var percent = Uri.EscapeDataString($"{{\"note\":{JsonSerializer.Serialize(text)}}}");
        var inside = JsonSerializer.Serialize(new { eventName = "RunTask", note = JsonSerializer.Serialize(new { note = text }) });
        foreach (var (form, hidden) in new[] { (base64, base64[16..40]), (percent, secret), (inside, secret) })
        {
            foreach (var body in new[] { JsonSerializer.Serialize(new { value = form }), $"<A><B>{System.Security.SecurityElement.Escape(form)}</B></A>" })
            {
                var (clean, digest) = Apply(body);
                Assert.False(clean.Contains(hidden, StringComparison.Ordinal), $"{kind}: {clean}");
                Assert.NotNull(digest);
                Assert.NotEmpty(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null));
                Assert.Equal((clean, null), Apply(clean));
            }
        }
    }

    [Fact]
    public void What_was_emptied_in_a_document_inside_a_text_or_in_XML_is_listed_with_its_rule()
    {
        var inside = Apply("""{"a":[{"configuration":"{\"environment\":{\"variables\":{\"X\":\"quiet\"}}}"}]}""").Body;
        Assert.Equal(
            [("/a/0/configuration", "environment", Mark("quiet"))],
            BodyRedaction.Find(Encoding.UTF8.GetBytes(inside), 10, null).Select(r => (r.Pointer, r.Rule, r.Digest)));
        var xml = Apply("<R><userData>\n<value>a &amp; b</value></userData></R>").Body;
        Assert.Equal(
            [("/R/userData/value", "user-data", Mark("a & b"))],
            BodyRedaction.Find(Encoding.UTF8.GetBytes(xml), 10, null).Select(r => (r.Pointer, r.Rule, r.Digest)));
    }

    [Fact]
    public void A_secret_that_begins_like_a_digest_is_a_secret() =>
        Assert.DoesNotContain("MARKER", Apply("""{"containers":[{"env":[{"name":"A","value":"hmac-sha256:MARKER"}]}]}""").Body, StringComparison.Ordinal);

    [Fact]
    public void Equal_secrets_are_equal_under_one_key_and_differ_under_another()
    {
        const string Body = """{"a":{"Environment":{"Variables":{"X":"same","Y":"same","Z":"other"}}}}""";
        var values = Values(Apply(Body).Body);
        Assert.Equal(values[0], values[1]);
        Assert.NotEqual(values[0], values[2]);
        var elsewhere = new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(Body), null);
        Assert.NotEqual(values[0], Values(Encoding.UTF8.GetString(elsewhere.Body.Span))[0]);

        static string[] Values(string body) =>
            [
                .. JsonElement.Parse(body)
                    .GetProperty("a")
                    .GetProperty("Environment")
                    .GetProperty("Variables")
                    .EnumerateObject()
                    .Select(v => v.Value.GetString()!),
            ];
    }

    [Fact]
    public void What_is_no_JSON_after_all_is_cleaned_as_a_text()
    {
        var secret = "ghp_" + new string('x', 36);
        foreach (var body in new[] { $$"""{"a": "{{secret}}" """, $$"""{"a" "{{secret}}"}""", new string('[', 300) + $"\"{secret}\"" })
        {
            var clean = Apply(body).Body;
            Assert.DoesNotContain(secret, clean, StringComparison.Ordinal);
            Assert.Single(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null));
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
        Assert.Single(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null));
    }

    private static (string Body, string? Digest) Apply(string body, AnswerPlaces? places = null)
    {
        var (clean, digest) = new BodyRedaction(Key).Apply(Encoding.UTF8.GetBytes(body), places);
        return (Encoding.UTF8.GetString(clean.Span), digest);
    }

    private static string Mark(string secret) =>
        "hmac-sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(secret)));
}
