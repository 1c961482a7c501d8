using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace AuditCli.Tests;

/// <summary>A request through the gate: the operation, the id of the key that signed it, and the body.</summary>
public sealed record AskedOfAws(string Operation, string KeyId, string Body);

/// <summary>
/// A proxy in front of a moto server. It forwards requests, except those that a test wants answered differently; moto itself refuses
/// nobody.
/// </summary>
public sealed class AwsGate : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly Uri _behind;
    private readonly Func<AskedOfAws, (int Status, string Body)?> _instead;
    private readonly Task _serving;

    /// <param name="instead">Returns the answer to give, or null to forward the request.</param>
    public AwsGate(Uri behind, Func<AskedOfAws, (int Status, string Body)?> instead)
    {
        (_behind, _instead) = (behind, instead);
        Url = $"http://127.0.0.1:{Loopback.FreePort()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public string Url { get; }
    public ConcurrentQueue<AskedOfAws> Asked { get; } = new();

    /// <summary>Returns a refusal in the form of STS and IAM.</summary>
    public static (int Status, string Body) Denied(string message) =>
        (403, $"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>");

    public void Dispose()
    {
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _client.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => AnswerAsync(context));
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            var text = Encoding.UTF8.GetString(body.ToArray());
            var operation = context.Request.Headers["X-Amz-Target"]?.Split('.')[^1]
                ?? text.Split('&').FirstOrDefault(p => p.StartsWith("Action=", StringComparison.Ordinal))?["Action=".Length..] ?? "";
            var key = context.Request.Headers["Authorization"]?.Split("Credential=").ElementAtOrDefault(1)?.Split('/')[0] ?? "";
            var asked = new AskedOfAws(operation, key, text);
            Asked.Enqueue(asked);
            if (_instead(asked) is { } own)
                await WriteAsync(context.Response, own.Status, "text/xml", Encoding.UTF8.GetBytes(own.Body));
            else
                await PassOnAsync(context, body.ToArray());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException or HttpRequestException)
        {
            context.Response.Abort();
        }
    }

    private async Task PassOnAsync(HttpListenerContext context, byte[] body)
    {
        using var request = new HttpRequestMessage(new(context.Request.HttpMethod), new Uri(_behind, context.Request.RawUrl!))
        {
            Content = new ByteArrayContent(body),
        };
        foreach (var name in context.Request.Headers.AllKeys.OfType<string>()
            .Where(n => n is not ("Host" or "Connection" or "Content-Length" or "Accept-Encoding")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name]))
                request.Content.Headers.TryAddWithoutValidation(name, context.Request.Headers[name]);
        }
        using var answer = await _client.SendAsync(request);
        await WriteAsync(
            context.Response,
            (int)answer.StatusCode,
            answer.Content.Headers.ContentType?.ToString() ?? "text/xml",
            await answer.Content.ReadAsByteArrayAsync());
    }

    private static async Task WriteAsync(HttpListenerResponse response, int status, string type, byte[] body)
    {
        response.StatusCode = status;
        response.ContentType = type;
        response.ContentLength64 = body.Length;
        await response.OutputStream.WriteAsync(body);
        response.Close();
    }
}
