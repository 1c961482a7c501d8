using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace AuditCli.Tests;

public sealed record GoogleRequest(string Method, string Path, string Query, string? Token, string? QuotaProject, string Body);

/// <summary>An error that a request gets instead of its answer.</summary>
public sealed record GoogleFault(int Status, string Body)
{
    public string? RetryAfter { get; init; }

    /// <summary>Returns an error in Google's form.</summary>
    public static GoogleFault Error(int status, string word, string message, string? reason = null) =>
        new(status, GoogleServer.Error(status, word, message, reason).ToJsonString());
}

/// <summary>
/// A loopback stand-in for Google's REST APIs and token endpoints. Resources are data (<c>google.json</c>), lists have pages of two, errors
/// have Google's form, and a token can be limited to some permissions. The Google Cloud CLI works with it unchanged.
/// </summary>
/// <remarks>
/// A resource is <c>"[METHOD ]/path[?name=value]": {"permission", "body"} | {"permission", "list": member, "data": [...], "also":
/// {...}}</c>. With <c>"inner"</c> in addition to <c>"list"</c>, it is a map whose data are <c>[key, [elements]]</c> pairs. <c>{"disabled":
/// "kms.googleapis.com"}</c> answers like an API that the project has not enabled. <c>*</c> matches one segment of a path. The effective
/// firewall rules of a network are derived from the lists of networks and rules, unless they are given as a resource.
/// </remarks>
public sealed class GoogleServer : IDisposable
{
    private const int PageSize = 2;
    private readonly HttpListener _listener = new();
    private readonly ImmutableArray<(string Method, string[] Segments, string? Query, JsonObject Resource)> _resources;
    private readonly Func<GoogleRequest, int, GoogleFault?> _fault;
    private readonly ConcurrentQueue<GoogleRequest> _seen = new();
    private readonly RSA _key;
    private readonly Task _serving;
    private int _count;

    /// <param name="resources">The content of a file such as <c>google.json</c>; null for that file.</param>
    /// <param name="fault">Returns the error for the nth API request, counted from 0; null for the normal answer.</param>
    public GoogleServer(string? resources = null, Func<GoogleRequest, int, GoogleFault?>? fault = null, int key = 0)
    {
        _key = RsaKeys.Numbered(key);
        var content = JsonNode.Parse(resources ?? File.ReadAllText(Repository.Path("tests", "Shared", "google.json")))!.AsObject();
        _resources = [.. content.Select(r => r.Key.Split(' ') is [var method, var path] ? Resource(method, path, r.Value!) : Resource("", r.Key, r.Value!))];
        _fault = fault ?? ((_, _) => null);
        Address = new($"http://127.0.0.1:{Loopback.FreePort()}/");
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    /// <summary>The Google Cloud CLI's variables that send every API to this server; auditcli reads the same ones.</summary>
    public ImmutableSortedDictionary<string, string> Overrides => new[]
    {
        ("AIPLATFORM", ""), ("BIGQUERY", "bigquery/v2/"), ("CLOUDASSET", ""), ("CLOUDKMS", ""), ("CLOUDRESOURCEMANAGER", ""), ("COMPUTE", "compute/v1/"),
        ("CONTAINER", ""), ("IAM", ""), ("IAMCREDENTIALS", ""), ("LOGGING", ""), ("OPENIDCONNECT", ""), ("ORGPOLICY", ""),
        ("POLICYANALYZER", ""), ("SERVICEUSAGE", ""), ("SQL", ""), ("STORAGE", "storage/v1/"),
    }.ToImmutableSortedDictionary(a => "CLOUDSDK_API_ENDPOINT_OVERRIDES_" + a.Item1, a => new Uri(Address, a.Item2).AbsoluteUri, StringComparer.Ordinal);

    /// <summary>API requests in order, without those for tokens.</summary>
    public IReadOnlyList<GoogleRequest> Seen => [.. _seen];

    /// <summary>Paths of requests for tokens, in order.</summary>
    public ConcurrentQueue<string> TokenRequests { get; } = new();

    /// <summary>The permissions of a token. A token that is not listed has all.</summary>
    public ConcurrentDictionary<string, ImmutableHashSet<string>> Permissions { get; } = new();

    /// <summary>The account of a token, where the server reports it.</summary>
    public ConcurrentDictionary<string, string> Emails { get; } = new();

    /// <summary>Returns a service account's key file for this server.</summary>
    public string ServiceAccountFile(string email) => new JsonObject
    {
        ["type"] = "service_account",
        ["project_id"] = "p-one",
        ["private_key_id"] = "k1",
        ["private_key"] = _key.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = email,
        ["client_id"] = "1",
        ["token_uri"] = new Uri(Address, "token").AbsoluteUri,
    }.ToJsonString();

    /// <summary>Returns a federated identity's file. The subject's token is read from a file; all endpoints are on this server.</summary>
    public string ExternalAccountFile(string subjectTokenFile) => new JsonObject
    {
        ["type"] = "external_account",
        ["audience"] = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
        ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
        ["token_url"] = new Uri(Address, "v1/token").AbsoluteUri,
        ["credential_source"] = new JsonObject { ["file"] = subjectTokenFile },
    }.ToJsonString();

    /// <summary>Returns an error in the form of all newer Google APIs.</summary>
    public static JsonObject Error(int code, string status, string message, string? reason = null, string? permission = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message, ["status"] = status };
        if (reason is not null)
        {
            error["details"] = new JsonArray(new JsonObject
            {
                ["@type"] = "type.googleapis.com/google.rpc.ErrorInfo",
                ["reason"] = reason,
                ["domain"] = "googleapis.com",
                ["metadata"] = permission is null ? new JsonObject() : new JsonObject { ["permission"] = permission },
            });
        }
        return new() { ["error"] = error };
    }

    public void Dispose()
    {
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _key.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                open.RemoveAll(t => t.IsCompletedSuccessfully);
                open.Add(Task.Run(() => AnswerAsync(context)));
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                break;  // the test is over
            }
        }
        await Task.WhenAll(open);
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
            var body = await reader.ReadToEndAsync();
            var target = context.Request.RawUrl!.Split('?', 2);
            var request = new GoogleRequest(
                context.Request.HttpMethod, target[0], target.Length > 1 ? target[1] : "",
                context.Request.Headers["Authorization"]?.Split(' ')[^1], context.Request.Headers["X-Goog-User-Project"], body);
            var (status, answer) = Token(request) is { } token ? token : Api(request, context.Response);
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json; charset=UTF-8";
            var bytes = Encoding.UTF8.GetBytes(answer);
            context.Response.ContentLength64 = bytes.Length;
            await context.Response.OutputStream.WriteAsync(bytes);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
        {
            // The client disconnected, or the test is over.
        }
    }

    /// <summary>
    /// Answers the requests for tokens. Each kind of credential gets a different token, so that tests can tell them apart.
    /// </summary>
    private (int, string)? Token(GoogleRequest request)
    {
        var form = request.Body.Split('&').Select(p => p.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
        var token = request.Path switch
        {
            "/token" when form.GetValueOrDefault("grant_type") == "refresh_token" => "MARKERtokenOfUserMARKER",
            "/token" when form.TryGetValue("assertion", out var assertion) => Verified(assertion) ? "MARKERtokenOfServiceAccountMARKER" : "",
            "/v1/token" => form.GetValueOrDefault("subject_token") == "MARKERsubjectTokenMARKER" ? "MARKERtokenOfFederationMARKER" : "",
            "/computeMetadata/v1/instance/service-accounts/default/token" => "MARKERtokenOfMachineMARKER",
            _ => null,
        };
        if (request.Path.EndsWith(":generateAccessToken", StringComparison.Ordinal))
        {
            TokenRequests.Enqueue(request.Path);
            return (200, new JsonObject { ["accessToken"] = "MARKERtokenOfImpersonationMARKER", ["expireTime"] = "2099-01-01T00:00:00Z" }.ToJsonString());
        }
        if (token is null)
            return null;
        TokenRequests.Enqueue(request.Path);
        return token.Length == 0
            ? (400, new JsonObject { ["error"] = "invalid_grant", ["error_description"] = "Invalid JWT Signature." }.ToJsonString())
            : (200, new JsonObject
            {
                ["access_token"] = token,
                ["expires_in"] = 3600,
                ["token_type"] = "Bearer",
                ["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token",
            }.ToJsonString());
    }

    private bool Verified(string assertion) =>
        assertion.Split('.') is [var head, var claims, var signature]
        && _key.VerifyData(
            Encoding.ASCII.GetBytes($"{head}.{claims}"),
            System.Buffers.Text.Base64Url.DecodeFromChars(signature),
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1);

    private (int, string) Api(GoogleRequest request, HttpListenerResponse response)
    {
        _seen.Enqueue(request);
        if (request.Token is null)
            return Said(Error(401, "UNAUTHENTICATED", "Request is missing required authentication credential."));
        if (_fault(request, Interlocked.Increment(ref _count) - 1) is { } fault)
        {
            if (fault.RetryAfter is { } wait)
                response.Headers["Retry-After"] = wait;
            return (fault.Status, fault.Body);
        }
        if (request.Path == "/v1/userinfo")
            return Emails.TryGetValue(request.Token, out var email)
                ? (200, new JsonObject { ["sub"] = "1", ["email"] = email }.ToJsonString())
                : Said(Error(401, "UNAUTHENTICATED", "Invalid Credentials"));
        if ((Find(request) ?? EffectiveFirewalls(request)) is not { } resource)
            return Said(Error(404, "NOT_FOUND", $"there is no {request.Method} {request.Path}"));
        if (resource["disabled"]?.GetValue<string>() is { } api)
            return Said(Error(403, "PERMISSION_DENIED", $"{api} has not been used in project 1 before or it is disabled.", "SERVICE_DISABLED"));
        if (resource["permission"]?.GetValue<string>() is { } permission
            && Permissions.TryGetValue(request.Token, out var granted)
            && !granted.Contains(permission))
        {
            var denied = $"Permission '{permission}' denied on resource '/{request.Path}' (or it may not exist).";
            return Said(Error(403, "PERMISSION_DENIED", denied, "IAM_PERMISSION_DENIED", permission));
        }
        return (200, (resource["body"]?.DeepClone() ?? Page(resource, request)).ToJsonString());
    }

    private static (int, string) Said(JsonObject error) => (error["error"]!["code"]!.GetValue<int>(), error.ToJsonString());

    private static (string, string[], string?, JsonObject) Resource(string method, string key, JsonNode content) =>
        (method, key.Split('?')[0].Split('/'), key.Split('?').ElementAtOrDefault(1), content.AsObject());

    private JsonObject? Find(GoogleRequest request)
    {
        var path = request.Path.Split('/').Select(Uri.UnescapeDataString).ToArray();
        var query = request.Query.Split('&').Select(Uri.UnescapeDataString).ToArray();
        return _resources.FirstOrDefault(r =>
            (r.Method.Length == 0 || r.Method == request.Method) && r.Segments.Length == path.Length
            && r.Segments.Zip(path).All(s => s.First == "*" || s.First == s.Second)
            && (r.Query is null || query.Contains(r.Query) || IsInBody(request, r.Query))).Resource;
    }

    /// <summary>
    /// Returns the rules of the project's own list that apply to the requested network, and no policies; null for any other request or for
    /// an unknown network.
    /// </summary>
    private JsonObject? EffectiveFirewalls(GoogleRequest request)
    {
        const string ending = "/getEffectiveFirewalls", networks = "/global/networks/";
        if (request.Method != "GET" || !request.Path.EndsWith(ending, StringComparison.Ordinal) || request.Path.Split(networks) is not [var project, var rest])
            return null;
        var network = Uri.UnescapeDataString(rest[..^ending.Length]);
        JsonObject? List(string path) => Find(request with { Path = project + path, Query = "" });
        JsonArray Data(JsonObject? list) => list?["data"]?.AsArray() ?? [];
        var listed = List("/global/networks");
        if (listed?["disabled"] is not null)
            return listed;
        if (!Data(listed).Any(n => n!["name"]?.GetValue<string>() == network))
            return null;
        var rules = Data(List("/global/firewalls")).Where(r => r!["network"]!.GetValue<string>().EndsWith(networks + network, StringComparison.Ordinal));
        var body = new JsonObject();
        // Google omits empty lists.
        if (rules.Any())
            body["firewalls"] = new JsonArray([.. rules.Select(r => r!.DeepClone())]);
        return new() { ["permission"] = "compute.networks.getEffectiveFirewalls", ["body"] = body };
    }

    /// <summary>Returns whether a list or a text in the request's body has the value that the resource's key requires.</summary>
    private static bool IsInBody(GoogleRequest request, string wanted) => request.Body.StartsWith('{') && wanted.Split('=', 2) is [var name, var value]
        && JsonNode.Parse(request.Body)![name] is { } found
        && (found is JsonArray list ? list.Any(e => e?.ToString() == value) : found.ToString() == value);

    private static string? Query(GoogleRequest request, string name) => request.Query.Split('&').Select(p => p.Split('=', 2))
        .FirstOrDefault(p => p.Length == 2 && p[0] == name)?[1] is { } value ? Uri.UnescapeDataString(value) : null;

    private static JsonObject Page(JsonObject resource, GoogleRequest request)
    {
        var token = Query(request, "pageToken") ?? (request.Body.StartsWith('{') ? JsonNode.Parse(request.Body)!["pageToken"]?.GetValue<string>() : null);
        var from = token is null ? 0 : int.Parse(token.AsSpan(1), CultureInfo.InvariantCulture);
        var data = resource["data"]!.AsArray();
        var page = data.Skip(from).Take(PageSize).Select(e => e!.DeepClone()).ToArray();
        var answer = resource["also"]?.DeepClone().AsObject() ?? [];
        // Google omits empty lists.
        if (page.Length > 0)
        {
            answer[resource["list"]!.GetValue<string>()] = resource["inner"]?.GetValue<string>() is { } inner
                ? new JsonObject(page.Select(p => KeyValuePair.Create(
                    p[0]!.GetValue<string>(),
                    (JsonNode?)(p[1] is JsonArray ? new JsonObject { [inner] = p[1]!.DeepClone() } : p[1]!.DeepClone()))))
                : new JsonArray(page);
        }
        if (from + PageSize < data.Count)
            answer["nextPageToken"] = string.Create(CultureInfo.InvariantCulture, $"t{from + PageSize}");
        return answer;
    }
}
