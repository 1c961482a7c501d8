using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Tests.Warc;

internal static class Exchanges
{
    public static readonly DateTimeOffset Date = new DateTimeOffset(2026, 9, 30, 12, 0, 0, TimeSpan.Zero).AddTicks(1234567);

    public static HttpExchange Answered(int number, byte[] body, params KeyValuePair<string, string>[] fields) => new(
        Date.AddSeconds(number), new($"https://iam.example/items?page={number}"), "h2",
        new($"GET /items?page={number} HTTP/1.1", [new("Host", "iam.example"), new("Accept", "application/json")], default),
        new("HTTP/1.1 200 OK", [.. fields, new("Content-Length", body.Length.ToString(CultureInfo.InvariantCulture))], body), []);

    public static HttpExchange Failed(int number) => new(
        Date.AddSeconds(number), new($"https://iam.example/items?page={number}"), "http/1.1",
        new("POST / HTTP/1.1", [new("X-Amz-Target", "IAM.List")], Encoding.UTF8.GetBytes("{}")), null,
        [new("HttpRequestException", "ConnectionError", "connection reset"), new("SocketException", "ConnectionReset", "reset by peer (host:443)")]);

    public static byte[] Random(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    public static void AssertEqual(HttpExchange expected, HttpExchange actual)
    {
        Assert.Equal(expected.Date, actual.Date);
        Assert.Equal(expected.Uri, actual.Uri);
        Assert.Equal(expected.Protocol, actual.Protocol);
        AssertEqual(expected.Request, actual.Request);
        Assert.Equal(expected.Response is null, actual.Response is null);
        if (expected.Response is { } response)
            AssertEqual(response, actual.Response!);
        Assert.Equal(expected.Failure.AsEnumerable(), actual.Failure.AsEnumerable());
        Assert.Equal(expected.OriginalContentEncoding, actual.OriginalContentEncoding);
        Assert.Equal(expected.RedactedPayloadDigest, actual.RedactedPayloadDigest);
        Assert.Equal(expected.BodiesOmitted, actual.BodiesOmitted);
    }

    public static ImmutableArray<RecordedExchange> ReadAll(string path) => [.. new RecordedExchanges(path).All()];

    private static void AssertEqual(HttpBlock expected, HttpBlock actual)
    {
        Assert.Equal(expected.StartLine, actual.StartLine);
        Assert.Equal(expected.Fields.AsEnumerable(), actual.Fields.AsEnumerable());
        Assert.Equal(expected.Body.ToArray(), actual.Body.ToArray());
    }
}
