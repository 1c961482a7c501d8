using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Amazon.Runtime;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>A server that recomputes signatures with botocore's code.</summary>
public sealed class SignatureServer : IAsyncLifetime
{
    public const string Secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    public const string Token = "FwoGZXIvYXdzEXAMPLE//token+with/odd=characters==";
    private Process? _python;

    public Uri Address { get; private set; } = new("http://127.0.0.1:1/");

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("botocore") is not null)
            return;
        var script = Repository.Path("tests", "AuditCli.Collectors.Tests", "Aws", "sigv4_server.py");
        _python = Process.Start(new ProcessStartInfo("python3", [script, Secret, Token]) { RedirectStandardOutput = true })!;
        Address = new($"http://127.0.0.1:{int.Parse((await _python.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture)}/");
    }

    public Task DisposeAsync()
    {
        _python?.Kill();
        _python?.Dispose();
        return Task.CompletedTask;
    }
}

public sealed class SignatureTests(SignatureServer server) : IClassFixture<SignatureServer>
{
    [NeedsTheory("botocore")]
    [InlineData("iam:ListUsers", """{"PathPrefix":"/a b+c~d*é&=%/'()!/"}""")]
    [InlineData("sts:GetCallerIdentity", "{}")]
    [InlineData("ec2:DescribeSubnets", """{"Filters":[{"Name":"tag:Owner/ä","Values":["a b+c","*~&=","%2F"]}]}""")]
    [InlineData("kms:ListKeys", "{}")]
    [InlineData("dynamodb:DescribeTable", """{"TableName":"é \"quoted\" \\ </script> 🔑"}""")]
    [InlineData("organizations:ListAccounts", "{}")]
    [InlineData("lambda:GetFunctionConfiguration", """{"FunctionName":"arn:aws:lambda:us-east-1:123456789012:function:a_b","Qualifier":"$LATEST"}""")]
    [InlineData("eks:DescribeCluster", """{"name":"a b+c~d*é%2Fe"}""")]
    [InlineData("backup:ListRecoveryPointsByResource", """{"ResourceArn":"arn:aws:ec2:us-east-1::snapshot/snap-1"}""")]
    [InlineData("apigateway:GetApiKeys", """{"nameQuery":"a b+c&d=e;f?","customerId":"*~'()"}""")]
    [InlineData("inspector2:ListFindings", """{"maxResults":5}""")]
    [InlineData("s3:ListBuckets", "{}")]
    [InlineData("s3:GetBucketAcl", """{"Bucket":"bucket-1"}""")]
    [InlineData("s3:ListObjectsV2", """{"Bucket":"bucket-1","Prefix":"a/b c+d&e=f~*é'()","Delimiter":"/"}""")]
    [InlineData("s3:HeadObject", """{"Bucket":"bucket-1","Key":"a b/c+d~e*é/(1)'!@$&,;=:%25"}""")]
    [InlineData("route53:ListResourceRecordSets", """{"HostedZoneId":"Z1 é","StartRecordName":"*.ex ample.com"}""")]
    [InlineData("cloudfront:ListDistributionsByRealtimeLogConfig", """{"RealtimeLogConfigName":"a<b>&\"é\""}""")]
    [InlineData("s3control:ListAccessPoints", """{"AccountId":"123456789012","Bucket":"a b"}""")]
    public async Task A_signature_is_what_botocore_computes_from_the_request_on_the_wire(string operation, string parameters) =>
        Assert.Equal(200, (await CallAsync(operation, parameters, SignatureServer.Secret)).Status);

    [NeedsFact("botocore")]
    public async Task A_signature_with_another_secret_is_found_out()
    {
        var failure = await Assert.ThrowsAsync<AwsServiceFailure>(() => CallAsync("kms:ListKeys", "{}", "another"));

        Assert.Equal("WrongSignature", failure.ErrorCode);
    }

    private async Task<AwsAnswer> CallAsync(string name, string parameters, string secret)
    {
        var (service, operation) = new AwsCatalogue().Find(name)!.Value;
        var check = ParameterCheck.Checked(service, operation, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(parameters)!);
        await using var transport = new LiveTransport(null, "signatures", TimeProvider.System);
        using var client = new AwsServiceClient(
            service, new SessionAWSCredentials("AKIAIOSFODNN7EXAMPLE", secret, SignatureServer.Token),
            new AwsServiceConfig(service, "us-east-1", null, server.Address, replay: true),
            transport.Open(new("signatures", service.Name, "us-east-1"), new RequestCheck(service).Refusal), new(null, _ => { }), _ => Task.CompletedTask,
            _ => null);
        return await client.CallAsync(operation, check, CancellationToken.None);
    }
}

[Collection("environment")]
public sealed class AuthenticatedMotoTests
{
    [NeedsFact("moto_server")]
    public async Task Moto_with_authentication_on_lets_in_who_may_and_names_why_it_refuses()
    {
        await using var moto = await MotoServer.StartAsync();
        var keys = await KeysAsync(moto.Address);
        await using var session = Session.Live(moto.Address);
        Use(keys[0], keys[1]);

        var users = await session.CallAsync("iam:ListUsers");
        var identity = await session.CallAsync("sts:GetCallerIdentity");
        await session.CallAsync("kms:ListKeys");
        await session.CallAsync("ec2:DescribeVpcs");
        await session.CallAsync("s3:ListBuckets");
        await session.CallAsync("lambda:ListFunctions");
        var denied = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListRoles"));

        Assert.Equal("auditor", users.GetProperty("Users")[0].GetProperty("UserName").GetString());
        Assert.EndsWith(":user/auditor", identity.GetProperty("Arn").GetString(), StringComparison.Ordinal);
        Assert.Equal("AccessDenied", denied.Code);

        await using var wrong = Session.Live(moto.Address);
        Use(keys[0], "not-the-secret");
        Assert.Equal("SignatureDoesNotMatch", (await Assert.ThrowsAsync<CollectionException>(() => wrong.CallAsync("iam:ListUsers"))).Code);
    }

    private static void Use(string id, string secret)
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", id);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", secret);
        Environment.SetEnvironmentVariable("AWS_SESSION_TOKEN", null);
    }

    /// <summary>Creates a user with a key and a policy, then enables authentication.</summary>
    private static async Task<string[]> KeysAsync(Uri moto)
    {
        var script = Repository.Path("tests", "AuditCli.Collectors.Tests", "Aws", "boto3_calls.py");
        var start = new ProcessStartInfo("python3", [script, moto.ToString(), "auditor"]) { RedirectStandardOutput = true };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        using var python = Process.Start(start)!;
        var keys = (await python.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await python.WaitForExitAsync();
        using var client = new HttpClient();
        using var answer = await client.PostAsync(new Uri(moto, "moto-api/reset-auth"), new StringContent("0"));
        answer.EnsureSuccessStatusCode();
        return keys;
    }
}
