using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Tests;

/// <summary>
/// A loopback stand-in for an AWS organization with any number of accounts and two dozen regions each. It serves the sample account's
/// recorded responses for every account, with that account's number, and for every region. It answers STS and Organizations itself, so that
/// the accounts can be listed and entered. The key id in a request's signature tells which account is meant.
/// </summary>
public sealed class AccountsServer : IDisposable
{
    private const string Recorded = "111122223333";
    private const string RecordedRegion = "us-east-1";
    private const long FirstAccount = 100000000000;
    private const string KeyPrefix = "AKIAIOSF";
    private static readonly string[] Regions =
    [
        "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1", "sa-east-1", "mx-central-1",
        "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
        "ap-south-1", "ap-south-2", "ap-east-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    ];

    private readonly HttpListener _listener = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly FrozenDictionary<string, (string Type, int Status, string Body)> _answers = Answers().ToFrozenDictionary(StringComparer.Ordinal);
    private readonly Task _serving;
    private readonly int _accounts;
    private readonly TimeSpan _delay;
    private int _answered;
    private int _now;
    private int _most;

    /// <param name="delay">The delay before each answer.</param>
    public AccountsServer(int accounts, TimeSpan delay)
    {
        (_accounts, _delay) = (accounts, delay);
        Url = $"http://127.0.0.1:{Loopback.FreePort()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public string Url { get; }

    public int Answered => Volatile.Read(ref _answered);

    /// <summary>The largest number of requests that were waiting for their answers at once.</summary>
    public int MostAtOnce => Volatile.Read(ref _most);

    /// <summary>The engagement's only target: every account of the organization.</summary>
    public static string Target => "{ org: { aws: { organization: true, role_name: AuditReadOnly } } }";

    /// <summary>Variables that direct the program to this server, as the organization's management account.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["AWS_ENDPOINT_URL"] = Url,
        ["AWS_ACCESS_KEY_ID"] = KeyPrefix + Account(0),
        ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
        ["AWS_DEFAULT_REGION"] = RecordedRegion,
    };

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _stop.Dispose();
    }

    private static string Account(int number) => (FirstAccount + number).ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<KeyValuePair<string, (string Type, int Status, string Body)>> Answers() =>
        Directory.EnumerateFiles(Repository.Path("samples", "exchanges", "prod"), "*.warc.gz").Order(StringComparer.Ordinal)
            .SelectMany(file => new RecordedExchanges(file).All().Select(r => (Service: Path.GetFileName(file).Split('-')[0], r.Exchange)))
            .Where(r => r.Exchange.Response is not null)
            .GroupBy(r => Key(
                r.Service, r.Exchange.Request.StartLine.Split(' ')[0], r.Exchange.Uri.PathAndQuery, r.Exchange.Request.Field("X-Amz-Target"),
                Encoding.UTF8.GetString(r.Exchange.Request.Body.Span)))
            // Takes the last response to a repeated request: by then the credential report is ready.
            .Select(g => KeyValuePair.Create(g.Key, Answer(g.Last().Exchange.Response!)));

    private static (string Type, int Status, string Body) Answer(HttpBlock response) => (
        response.Field("Content-Type") ?? "text/xml",
        int.Parse(response.StartLine.Split(' ')[1], CultureInfo.InvariantCulture),
        Encoding.UTF8.GetString(response.Body.Span));

    private static string Key(string service, string method, string pathAndQuery, string? operation, string body) =>
        $"{service} {method} {pathAndQuery} {operation} {body}";

    private async Task ServeAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => AnswerAsync(context));
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The listener was stopped.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            var now = Interlocked.Increment(ref _now);
            for (int was; (was = Volatile.Read(ref _most)) < now && Interlocked.CompareExchange(ref _most, now, was) != was;)
            {
            }
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync(_stop.Token);
            if (_delay > TimeSpan.Zero)
                await Task.Delay(_delay, _stop.Token);
            var (type, status, answer) = AnswerTo(context.Request, body);
            var bytes = Encoding.UTF8.GetBytes(answer);
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            context.Response.Headers["x-amzn-RequestId"] = "00000000-0000-0000-0000-000000000000";
            context.Response.ContentLength64 = bytes.Length;
            Interlocked.Increment(ref _answered);
            Interlocked.Decrement(ref _now);
            await context.Response.OutputStream.WriteAsync(bytes, _stop.Token);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or OperationCanceledException or IOException)
        {
            // The client disconnected, or the test is over.
        }
    }

    private (string Type, int Status, string Body) AnswerTo(HttpListenerRequest request, string body)
    {
        // AWS4-HMAC-SHA256 Credential=<key>/<day>/<region>/<service>/aws4_request, ...
        var scope = request.Headers["Authorization"]!.Split("Credential=")[1].Split('/');
        var (account, region, service) = (scope[0][KeyPrefix.Length..], scope[2], scope[3]);
        var operation = request.Headers["X-Amz-Target"];
        var asked = body.Replace(account, Recorded, StringComparison.Ordinal).Replace(region, RecordedRegion, StringComparison.Ordinal);
        var (type, status, answer) = service switch
        {
            "sts" => ("text/xml", 200, Sts(body, account)),
            "organizations" => ("application/x-amz-json-1.1", 200, Organizations(operation!, body)),
            "ec2" when body.Contains("Action=DescribeRegions", StringComparison.Ordinal) => ("text/xml", 200, Ec2Regions()),
            _ => Recording(service, request, operation, asked),
        };
        answer = answer.Replace(Recorded, account, StringComparison.Ordinal);
        return (type, status, service is "iam" or "s3" ? answer : answer.Replace(RecordedRegion, region, StringComparison.Ordinal));
    }

    private (string Type, int Status, string Body) Recording(string service, HttpListenerRequest request, string? operation, string body)
    {
        var path = request.RawUrl!;
        var file = service == "s3" && path.StartsWith("/v20180820/", StringComparison.Ordinal) ? "s3control" : service;
        return _answers.TryGetValue(Key(file, request.HttpMethod, path, operation, body), out var found) ? found
            : operation?.EndsWith("LookupEvents", StringComparison.Ordinal) == true ? ("application/x-amz-json-1.1", 200, """{"Events":[]}""")
            : ("text/xml", 400, "<ErrorResponse><Error><Type>Sender</Type><Code>NotRecorded</Code><Message>not recorded</Message></Error></ErrorResponse>");
    }

    private static string Sts(string body, string account)
    {
        if (!body.Contains("Action=AssumeRole", StringComparison.Ordinal))
        {
            return "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
                + $"<Arn>arn:aws:sts::{account}:assumed-role/AuditReadOnly/auditcli</Arn>"
                + $"<UserId>AROAEXAMPLE:auditcli</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        }
        var entered = Uri.UnescapeDataString(body.Split("RoleArn=")[1].Split('&')[0]).Split(':')[4];
        return "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"
            + $"<AccessKeyId>{KeyPrefix}{entered}</AccessKeyId><SecretAccessKey>wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12</SecretAccessKey>"
            + $"<SessionToken>token-of-{entered}</SessionToken>"
            + "<Expiration>2036-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:auditcli</AssumedRoleId>"
            + $"<Arn>arn:aws:sts::{entered}:assumed-role/AuditReadOnly/auditcli</Arn>"
            + "</AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>";
    }

    private string Organizations(string operation, string body) => operation.Split('.')[^1] switch
    {
        "ListRoots" => """{"Roots":[{"Id":"r-root","Name":"Root"}]}""",
        "ListOrganizationalUnitsForParent" => """{"OrganizationalUnits":[]}""",
        "ListAccounts" or "ListAccountsForParent" =>
            $$"""{"Accounts":[{{string.Join(',', Enumerable.Range(0, _accounts).Select(n => $$"""{"Id":"{{Account(n)}}","Name":"a-{{n}}","Status":"ACTIVE"}"""))}}]}""",
        var other => throw new InvalidOperationException($"nobody asks for {other} {body}"),
    };

    private static string Ec2Regions() =>
        "<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><regionInfo>"
        + string.Concat(Regions.Select(r =>
            $"<item><regionName>{r}</regionName><regionEndpoint>ec2.{r}.amazonaws.com</regionEndpoint>"
                + "<optInStatus>opt-in-not-required</optInStatus></item>"))
        + "</regionInfo></DescribeRegionsResponse>";
}
