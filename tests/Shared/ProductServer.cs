using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AuditCli.Tests;

/// <summary>A request as a product server saw it.</summary>
public sealed record ProductRequest(string Method, string Path, ImmutableArray<KeyValuePair<string, string>> Query, string? Authorization, string Body)
{
    public string? Value(string name) => Query.Where(q => q.Key == name).Select(q => q.Value).FirstOrDefault();
}

/// <summary>What a product server answers instead of what its shapes say.</summary>
public sealed record ProductAnswer(int Status, string Body, params (string Name, string Value)[] Fields);

/// <summary>
/// A loopback stand-in for one product with an HTTP API. It knows the operations, parameters and properties that the vendor publishes
/// (<c>products/&lt;name&gt;.json</c>, made from the vendor's own description), refuses what these do not have, and answers with every
/// property filled in, in pages of two, in the vendor's own form of pages.
/// </summary>
public sealed class ProductServer : IDisposable
{
    private const int PageSize = 2;
    private readonly HttpListener _listener = new();
    private readonly JsonObject _operations;
    private readonly Func<ProductRequest, int, ProductAnswer?> _fault;
    private readonly ConcurrentQueue<ProductRequest> _seen = new();
    private readonly Task _serving;
    private readonly string _product;
    private readonly string _time;
    private int _count;

    /// <param name="fault">Returns another answer for the nth request to the API, counted from 0; null for the normal one.</param>
    /// <param name="rows">The number of rows of every list.</param>
    public ProductServer(string product, Func<ProductRequest, int, ProductAnswer?>? fault = null, int rows = 5)
    {
        _product = product;
        Rows = rows;
        var shapes = Shapes(product);
        _operations = shapes["operations"]!.AsObject();
        _time = shapes["formats"]!["date-time"]!.GetValue<string>();
        _fault = fault ?? ((_, _) => null);
        Address = new($"http://127.0.0.1:{Loopback.FreePort()}/");
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    public int Rows { get; }

    /// <summary>The values of the Authorization header that are accepted.</summary>
    public ConcurrentBag<string> Accepted { get; } = ["SSWS test-token", "Bearer test-token", "Basic dGVzdC11c2VyOnRlc3QtdG9rZW4="];

    /// <summary>API requests in order, without those for tokens.</summary>
    public IReadOnlyList<ProductRequest> Seen => [.. _seen];

    /// <summary>The bodies of requests for tokens, in order.</summary>
    public ConcurrentQueue<string> TokenRequests { get; } = new();

    /// <summary>Returns another answer, made from the normal one; null for the normal one.</summary>
    public Func<ProductRequest, ProductAnswer, ProductAnswer?> Change { get; init; } = (_, _) => null;

    /// <summary>The answer to requests for tokens; null for a token.</summary>
    public ProductAnswer? TokenAnswer { get; init; }

    /// <summary>What the published shapes do not have, but was asked for.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>Returns what the vendor publishes of a product's operations.</summary>
    public static JsonObject Shapes(string product) =>
        JsonNode.Parse(File.ReadAllText(Repository.Path("tests", "Shared", "products", product + ".json")))!.AsObject();

    public void Dispose()
    {
        _listener.Close();
        try
        {
            _serving.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The listener was closed while it waited.
        }
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            var context = await _listener.GetContextAsync();
            try
            {
                await AnswerAsync(context);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
            {
                // The client has gone.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var raw = context.Request.RawUrl!.Split('?', 2);
        var request = new ProductRequest(
            context.Request.HttpMethod, raw[0],
            [.. (raw.Length > 1 ? raw[1] : "").Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2))
                .Select(p => KeyValuePair.Create(Uri.UnescapeDataString(p[0]), Uri.UnescapeDataString(p.Length > 1 ? p[1] : "")))],
            context.Request.Headers["Authorization"], await reader.ReadToEndAsync());
        var answer = Answer(request);
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = "application/json";
        foreach (var (name, value) in answer.Fields)
        {
            if (name == "Content-Type")
                context.Response.ContentType = value;
            else
                context.Response.AppendHeader(name, value);
        }
        var bytes = Encoding.UTF8.GetBytes(answer.Body);
        context.Response.ContentLength64 = bytes.Length;
        await context.Response.OutputStream.WriteAsync(bytes);
        context.Response.Close();
    }

    private ProductAnswer Answer(ProductRequest request)
    {
        if (request.Method == "POST" && (request.Path.EndsWith("/token", StringComparison.Ordinal) || request.Path == "/oauth_token.do"))
        {
            TokenRequests.Enqueue(request.Body);
            Accepted.Add("Bearer issued-token");
            return TokenAnswer ?? new(200, """{"token_type":"Bearer","expires_in":3600,"access_token":"issued-token"}""");
        }
        _seen.Enqueue(request);
        if (_fault(request, Interlocked.Increment(ref _count) - 1) is { } fault)
            return fault;
        if (request.Authorization is null || !Accepted.Contains(request.Authorization))
            return Error(401, "E0000011", "Invalid token provided");
        var found = _operations.FirstOrDefault(o => Fits(o.Value!["path"]!.GetValue<string>(), request.Path));
        if (found.Value is null || found.Value["method"]!.GetValue<string>() != request.Method)
            return Violation(request, $"{request.Method} {request.Path} is not published");
        var known = found.Value["parameters"]!.AsObject();
        foreach (var (name, value) in request.Query)
        {
            // Microsoft says that the token of a nextLink is opaque and does not list its parameter.
            if (name != "$skiptoken" && (known[name] is not { } parameter || parameter["in"]!.GetValue<string>() != "query"))
                return Violation(request, $"{found.Key} has no parameter {name}");
            if (known[name]?["type"]!.GetValue<string>() == "integer" && !long.TryParse(value, out _))
                return Violation(request, $"{found.Key}: {name} is not a number");
        }
        if (known.FirstOrDefault(p => p.Value!["required"]?.GetValue<bool>() == true && p.Value["in"]!.GetValue<string>() == "query"
            && request.Value(p.Key) is null) is { Key: { } missing })
        {
            return Violation(request, $"{found.Key} needs {missing}");
        }
        var normal = Page(request, found.Value.AsObject());
        return Change(request, normal) ?? normal;
    }

    private ProductAnswer Page(ProductRequest request, JsonObject operation)
    {
        var row = operation["row"]!.AsObject();
        if (operation["rows"]?.GetValue<string>() is not { } member)
            return new(200, Row(row, 0).ToJsonString());
        var parameters = operation["parameters"]!.AsObject();
        var place = new[] { "after", "$skiptoken", "nextPageToken", "startAt", "offset", "start", "sysparm_offset" }
            .Select(p => request.Value(p) is { } value ? int.Parse(value.TrimStart('t'), CultureInfo.InvariantCulture) : 0).Max();
        // ServiceNow returns as many rows as are asked for; the others may return fewer.
        var size = request.Value("sysparm_limit") is { } limit ? int.Parse(limit, CultureInfo.InvariantCulture) : PageSize;
        var rows = new JsonArray([.. Enumerable.Range(place, Math.Max(0, Math.Min(size, Rows - place))).Select(i => (JsonNode)Row(row, i))]);
        var next = place + size < Rows ? place + size : (int?)null;
        if (member.Length == 0)
        {
            return next is null || !parameters.ContainsKey("after")
                ? new(200, (parameters.ContainsKey("after") || parameters.ContainsKey("startAt") ? rows : All(row)).ToJsonString())
                : new(
                    200, rows.ToJsonString(),
                    ("Link", $"<{Link(request, "after", "t0")}>; rel=\"self\", <{Link(request, "after", $"t{next}")}>; rel=\"next\""));
        }
        var body = new JsonObject { [member] = rows };
        var envelope = operation["envelope"]!.AsObject();
        if (_product == "entra")
        {
            body["@odata.context"] = "https://graph.example/$metadata";
            if (next is not null)
                body["@odata.nextLink"] = Link(request, "$skiptoken", $"t{next}");
        }
        else if (envelope.ContainsKey("_links"))
            body["_links"] = next is null ? new JsonObject() : new JsonObject { ["next"] = new JsonObject { ["href"] = Link(request, "after", $"t{next}") } };
        else if (parameters.ContainsKey("nextPageToken"))
        {
            body["isLast"] = next is null;
            if (next is not null)
                body["nextPageToken"] = $"t{next}";
        }
        else if (parameters.ContainsKey("sysparm_offset"))
            return new(200, body.ToJsonString(), ("X-Total-Count", Rows.ToString(CultureInfo.InvariantCulture)));
        else if (parameters.ContainsKey("startAt") || parameters.ContainsKey("offset") || parameters.ContainsKey("start"))
        {
            foreach (var (name, value) in new (string, JsonNode)[]
            {
                ("total", Rows), ("isLast", next is null), ("isLastPage", next is null), ("startAt", place), ("start", place), ("offset", place),
                ("maxResults", size), ("limit", size), ("size", rows.Count),
            })
            {
                if (envelope.ContainsKey(name))
                    body[name] = value;
            }
        }
        else
            body[member] = All(row);
        return new(200, body.ToJsonString());
    }

    private JsonArray All(JsonObject row) => new([.. Enumerable.Range(0, Rows).Select(i => (JsonNode)Row(row, i))]);

    private string Link(ProductRequest request, string name, string value) =>
        new Uri(Address, request.Path).AbsoluteUri + "?" + string.Join('&', request.Query.Where(q => q.Key != name)
            .Append(KeyValuePair.Create(name, value)).Select(q => $"{Uri.EscapeDataString(q.Key)}={Uri.EscapeDataString(q.Value)}"));

    /// <summary>Returns a row with a value of the published type in every property.</summary>
    private JsonObject Row(JsonObject properties, int number) => new(properties.Select(p => KeyValuePair.Create<string, JsonNode?>(
        p.Key,
        p.Value!.GetValue<string>() switch
        {
            "date-time" => _time,
            // Ids of Microsoft Graph are GUIDs; that of the first organization says which tenant it is.
            _ when _product == "entra" && p.Key == "id" => $"11111111-2222-3333-4444-{number:d12}",
            // The Table API writes every value as text.
            _ when _product == "servicenow" => $"{p.Key} {number}",
            "integer" => number,
            "number" => number + 0.5,
            "boolean" => number % 2 == 0,
            "array" => new JsonArray($"{p.Key} {number}"),
            "object" or "any" => new JsonObject { ["login"] = $"user-{number}@example.com", ["name"] = $"{p.Key} {number}" },
            _ => $"{p.Key} {number}",
        })));

    private ProductAnswer Error(int status, string code, string message) => _product switch
    {
        "okta" => new(status, JsonSerializer.Serialize(new { errorCode = code, errorSummary = message })),
        "jira" => new(status, JsonSerializer.Serialize(new { errorMessages = new[] { message }, errors = new { } })),
        _ => new(status, JsonSerializer.Serialize(new { error = new { code, message } })),
    };

    private ProductAnswer Violation(ProductRequest request, string why)
    {
        Violations.Enqueue($"{request.Method} {request.Path}: {why}");
        return Error(422, "E0000001", why);
    }

    private static bool Fits(string template, string path)
    {
        var (wanted, given) = (template.Split('/'), path.Split('/'));
        return wanted.Length == given.Length && wanted.Zip(given).All(s => s.First.StartsWith('{') ? s.Second.Length > 0 : s.First == s.Second);
    }
}
