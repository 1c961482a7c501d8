using System.Net;
using System.Text;

namespace AuditCli.Tests;

/// <summary>A loopback API server that tells a caller who it is, and answers each list request with the next of the given lists.</summary>
internal sealed class ClusterServer : IDisposable
{
    private const string Review = """{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""";
    private readonly HttpListener _listener = new();
    private readonly Func<int, byte[]> _list;
    private readonly string _url = $"http://127.0.0.1:{Loopback.FreePort()}";
    private readonly Task _serving;
    private int _lists;

    /// <param name="list">Returns the list for the nth list request, counted from 1.</param>
    public ClusterServer(Func<int, byte[]> list)
    {
        _list = list;
        _listener.Prefixes.Add(_url + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>The value of the Warning header that its lists have; null for none.</summary>
    public string? Warning { get; init; }

    public int Lists => _lists;

    /// <summary>A kubeconfig whose only context is this server.</summary>
    public string Kubeconfig => $$"""
        apiVersion: v1
        kind: Config
        current-context: test
        contexts: [{ name: test, context: { cluster: test, user: test } }]
        clusters: [{ name: test, cluster: { server: "{{_url}}" } }]
        users: [{ name: test, user: { token: anybody } }]
        """;

    public void Dispose()
    {
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                var isReview = context.Request.HttpMethod == "POST";
                context.Response.StatusCode = isReview ? 201 : 200;
                context.Response.ContentType = "application/json";
                if (!isReview && Warning is not null)
                    context.Response.Headers["Warning"] = Warning;
                // Sends it with its length, in one packet: the end of a chunked body would wait 40 ms for the client's acknowledgement.
                context.Response.Close(isReview ? Encoding.UTF8.GetBytes(Review) : _list(Interlocked.Increment(ref _lists)), willBlock: true);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The listener was stopped.
        }
    }
}
