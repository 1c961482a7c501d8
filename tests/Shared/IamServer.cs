using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;

namespace AuditCli.Tests;

public enum ServerFault
{
    None,
    Denied,
    NotFound,
    Throttled,
    ResetInTheBody,
    MalformedXml,
    ValueOfAnotherType,
    Redirected,
    SameTokenForEver,
}

/// <summary>
/// A loopback stand-in for IAM and STS with any number of users. Pages are generated on request, so that a large test needs little memory.
/// Unknown operations are answered as IAM answers them.
/// </summary>
public sealed class IamServer : IDisposable
{
    /// <summary>The key that AssumeRole returns. Its secret and token may not appear anywhere else.</summary>
    public const string RoleKey = "ASIAIOSFODNNROLEKEY1";
    public const string RoleSecret = "MARKERrolesecretMARKERrolesecretMARKERrol";
    public const string RoleToken = "MARKERroletokenMARKERroletoken";

    /// <summary>
    /// Credentials in the forms of the container and instance metadata endpoints, and of IAM Identity Center's access portal.
    /// </summary>
    private const string RoleJson = $$"""{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"{{RoleKey}}","SecretAccessKey":"{{RoleSecret}}","Token":"{{RoleToken}}","Expiration":"2036-01-01T00:00:00Z"}""";
    private const string PortalJson = $$"""{"roleCredentials":{"accessKeyId":"{{RoleKey}}","secretAccessKey":"{{RoleSecret}}","sessionToken":"{{RoleToken}}","expiration":2082758400000} }""";
    private readonly HttpListener _listener = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;
    private readonly int _users;
    private readonly TimeSpan _delay;
    private readonly Func<string, int, ServerFault> _fault;
    private int _answered;

    /// <param name="delay">The delay before each answer.</param>
    /// <param name="fault">Returns the fault of the nth call of an action, counted from 1; null if no call fails.</param>
    public IamServer(int users, TimeSpan delay, Func<string, int, ServerFault>? fault = null)
    {
        (_users, _delay, _fault) = (users, delay, fault ?? ((_, _) => ServerFault.None));
        Url = $"http://127.0.0.1:{Loopback.FreePort()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public string Url { get; }

    /// <summary>How many users a page has.</summary>
    public int PageSize { get; init; } = 1000;

    /// <summary>What answers have in the field Date; null leaves it to the machine's clock.</summary>
    public Func<string>? Date { get; init; }

    /// <summary>An additional field of all responses.</summary>
    public (string Name, string Value)? Field { get; init; }

    public int Answered => Volatile.Read(ref _answered);
    public ConcurrentDictionary<string, int> Calls { get; } = new();

    /// <summary>The access key ids that requests were signed with, by action.</summary>
    public ConcurrentDictionary<string, string> SignedBy { get; } = new();

    /// <summary>Requests to the credential endpoints: method, path and the field that authorizes the request.</summary>
    public ConcurrentQueue<(string Method, string Path, string? Proof)> AskedForCredentials { get; } = new();

    /// <summary>The bodies of STS calls, in order.</summary>
    public ConcurrentQueue<string> Assumed { get; } = new();

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _stop.Dispose();
    }

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
            if (context.Request.Url!.AbsolutePath != "/")
            {
                GiveCredentials(context);
                return;
            }
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            if (body.Contains("Action=AssumeRole", StringComparison.Ordinal))
                Assumed.Enqueue(body);
            var form = body.Split('&').Select(p => p.Split('=', 2))
                .ToDictionary(p => Uri.UnescapeDataString(p[0]), p => Uri.UnescapeDataString(p.ElementAtOrDefault(1) ?? "").Replace('+', ' '));
            var action = form.GetValueOrDefault("Action", "");
            var fault = _fault(action, Calls.AddOrUpdate(action, 1, (_, n) => n + 1));
            if (context.Request.Headers["Authorization"] is { } signature)
                SignedBy[action] = signature.Split("Credential=")[1].Split('/')[0];
            if (_delay > TimeSpan.Zero)
                await Task.Delay(_delay, _stop.Token);
            await AnswerAsync(context.Response, fault, Body(action, form, fault));
            Interlocked.Increment(ref _answered);
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or OperationCanceledException or IOException)
        {
            // The client disconnected, or the test is over.
        }
    }

    private void GiveCredentials(HttpListenerContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var proof = request.Headers["Authorization"] ?? request.Headers["X-aws-ec2-metadata-token"] ?? request.Headers["x-amz-sso_bearer_token"];
        AskedForCredentials.Enqueue((request.HttpMethod, request.Url!.AbsolutePath, proof));
        var answer = (request.HttpMethod, request.Url.AbsolutePath) switch
        {
            ("PUT", "/latest/api/token") => RoleToken,
            ("GET", "/latest/meta-data/iam/security-credentials" or "/latest/meta-data/iam/security-credentials/") => "AuditRole",
            ("GET", "/latest/meta-data/iam/security-credentials/AuditRole") => RoleJson,
            ("GET", "/container") => RoleJson,
            ("GET", "/federation/credentials") => PortalJson,
            _ => null,
        };
        response.StatusCode = answer is null ? 404 : 200;
        response.ContentType = answer?.StartsWith('{') == true ? "application/json" : "text/plain";
        if (request.HttpMethod == "PUT")
            response.Headers["X-aws-ec2-metadata-token-ttl-seconds"] = "21600";
        response.Close(Encoding.UTF8.GetBytes(answer ?? ""), willBlock: true);
    }

    private async Task AnswerAsync(HttpListenerResponse response, ServerFault fault, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        response.StatusCode = fault switch
        {
            ServerFault.Denied => 403,
            ServerFault.NotFound => 404,
            ServerFault.Redirected => 302,
            _ when body.StartsWith("<ErrorResponse", StringComparison.Ordinal) => 400,
            _ => 200,
        };
        response.ContentType = "text/xml";
        if (Date is { } date)
            response.Headers["Date"] = date();
        if (Field is var (name, value))
            response.Headers[name] = value;
        response.ContentLength64 = bytes.Length;
        if (fault == ServerFault.Redirected)
            response.RedirectLocation = "http://127.0.0.1:9/elsewhere";
        if (fault == ServerFault.ResetInTheBody)
        {
            await response.OutputStream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), _stop.Token);
            await response.OutputStream.FlushAsync(_stop.Token);
            response.Abort();
            return;
        }
        await response.OutputStream.WriteAsync(bytes, _stop.Token);
        response.Close();
    }

    private string Body(string action, Dictionary<string, string> form, ServerFault fault) => fault switch
    {
        ServerFault.Denied => Error("AccessDenied", $"User: arn:aws:iam::111122223333:user/auditor is not authorized to perform: iam:{action}"),
        ServerFault.NotFound => Error("NoSuchEntity", "The resource cannot be found"),
        ServerFault.Throttled => Error("Throttling", "Rate exceeded"),
        ServerFault.MalformedXml => Body(action, form)[..^20],
        ServerFault.ValueOfAnotherType => Body(action, form).Replace("2026-01-01T00:00:00Z", "last Tuesday", StringComparison.Ordinal),
        ServerFault.SameTokenForEver => Response(action, "<Users></Users><IsTruncated>true</IsTruncated><Marker>again</Marker>"),
        _ => Body(action, form),
    };

    private string Body(string action, Dictionary<string, string> form) => action switch
    {
        "GetCallerIdentity" => Response(action, "<Arn>arn:aws:iam::111122223333:user/auditor</Arn><UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account>"),
        "AssumeRole" or "AssumeRoleWithWebIdentity" => Response(
            action,
            $"<Credentials><AccessKeyId>{RoleKey}</AccessKeyId><SecretAccessKey>{RoleSecret}</SecretAccessKey>"
                + $"<SessionToken>{RoleToken}</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>"
                + $"<AssumedRoleUser><Arn>{form["RoleArn"]}</Arn><AssumedRoleId>AROAEXAMPLE:auditcli</AssumedRoleId></AssumedRoleUser>"),
        "ListUsers" => Response(action, Page(form, "Users", User)),
        "ListAccessKeys" => Response(action, $"<IsTruncated>false</IsTruncated><AccessKeyMetadata>{Key(form["UserName"])}</AccessKeyMetadata>"),
        "ListMFADevices" => Response(
            action,
            $"<IsTruncated>false</IsTruncated><MFADevices><member><UserName>{form["UserName"]}</UserName>"
                + $"<SerialNumber>arn:aws:iam::111122223333:mfa/{form["UserName"]}</SerialNumber>"
                + "<EnableDate>2026-01-02T00:00:00Z</EnableDate></member></MFADevices>"),
        "GenerateCredentialReport" => Response(action, "<State>COMPLETE</State>"),
        "GetCredentialReport" => Response(
            action,
            $"<Content>{Convert.ToBase64String(Report())}</Content><ReportFormat>text/csv</ReportFormat>"
                + "<GeneratedTime>2026-11-23T00:00:00Z</GeneratedTime>"),
        "GetAccountSummary" => Response(action, $"<SummaryMap><entry><key>Users</key><value>{_users}</value></entry></SummaryMap>"),
        "GetLoginProfile" => Response(
            action, $"<LoginProfile><UserName>{form["UserName"]}</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate></LoginProfile>"),
        _ => Error("InvalidAction", $"{action} is not served here"),
    };

    private static string Error(string code, string message) =>
        $"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            + "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>";

    private string Page(Dictionary<string, string> form, string name, Func<int, string> row)
    {
        var from = int.Parse(form.GetValueOrDefault("Marker", "0"), CultureInfo.InvariantCulture);
        var until = Math.Min(_users, from + PageSize);
        var rows = new StringBuilder($"<{name}>");
        for (var i = from; i < until; i++)
            rows.Append(row(i));
        rows.Append(CultureInfo.InvariantCulture, $"</{name}><IsTruncated>{(until < _users ? "true" : "false")}</IsTruncated>");
        if (until < _users)
            rows.Append(CultureInfo.InvariantCulture, $"<Marker>{until}</Marker>");
        return rows.ToString();
    }

    private static string User(int i) =>
        $"<member><Path>/staff/</Path><UserName>user{i:d6}</UserName><UserId>AIDA{i:d12}</UserId>"
            + $"<Arn>arn:aws:iam::111122223333:user/staff/user{i:d6}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>";

    private static string Key(string user) =>
        $"<member><UserName>{user}</UserName><AccessKeyId>AKIA{user.ToUpperInvariant()}</AccessKeyId><Status>Active</Status>"
            + "<CreateDate>2026-11-01T00:00:00Z</CreateDate></member>";

    private byte[] Report()
    {
        var csv = new StringBuilder(
            "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
                + "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
                + "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
                + "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n");
        csv.Append(
            "<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,no_information,not_supported,not_supported,true,"
                + "false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n");
        for (var i = 0; i < _users; i++)
        {
            csv.Append(
                CultureInfo.InvariantCulture,
                $"user{i:d6},arn:aws:iam::111122223333:user/staff/user{i:d6},2026-01-01T00:00:00+00:00,true,2026-11-01T00:00:00+00:00,"
                    + $"2026-10-01T00:00:00+00:00,N/A,true,true,2026-11-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n");
        }
        return Encoding.UTF8.GetBytes(csv.ToString());
    }

    private static string Response(string action, string result) =>
        $"<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>"
            + $"<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></{action}Response>";
}
