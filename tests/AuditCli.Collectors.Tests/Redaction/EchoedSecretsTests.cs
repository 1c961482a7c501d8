using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Tests responses that repeat the credentials of their own request, in any encoding.</summary>
public sealed class EchoedSecretsTests
{
    private const string Token = "aB3/dE5+fG7hI9jK1lM3nO5pQ7";
    private const string Password = "Pw7Planted/991";

    public static TheoryData<string, string> Ways
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var secret in new[] { Token, Password })
            {
                var bytes = Encoding.UTF8.GetBytes(secret);
                string[] ways =
                [
                    secret, secret.Replace("/", "\\/", StringComparison.Ordinal),
                    secret.Replace("+", "\\u002B", StringComparison.Ordinal).Replace("/", "\\u002f", StringComparison.Ordinal),
                    string.Concat(secret.Select(c => $"\\u{(int)c:x4}")), Uri.EscapeDataString(secret), string.Concat(bytes.Select(b => $"%{b:x2}")),
                    Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes), Convert.ToBase64String(bytes),
                    string.Concat(secret.Reverse()), secret.ToLowerInvariant(), secret.ToUpperInvariant(), Uri.EscapeDataString(secret).ToLowerInvariant(),
                    Convert.ToBase64String(Encoding.UTF8.GetBytes("u:" + secret)),
                    Convert.ToBase64String(Encoding.UTF8.GetBytes("xx " + secret + " yy")).Replace('+', '-').Replace('/', '_'),
                ];
                foreach (var way in ways)
                    cases.Add(secret, way);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void What_was_sent_does_not_come_back(string secret, string way)
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("auditor:" + Password));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/");
        request.Headers.TryAddWithoutValidation("Authorization", secret == Password ? $"Basic {basic}" : $"Bearer {Token}");
        var echoed = new EchoedSecrets(request, ExchangePolicy.Default.DroppedFields);
        var body = echoed.Remove(Encoding.UTF8.GetBytes($$"""{"first":"a\/b","message":"it is {{way}} that was sent","last":1}"""));
        var text = Encoding.UTF8.GetString(body.Span);
        // The first and last base64 characters also encode bits of the neighbouring text, so these may remain.
        Assert.DoesNotContain(way.Length > 12 ? way[4..^4] : way, text, StringComparison.Ordinal);
        var message = JsonElement.Parse(text).GetProperty("message").GetString()!;
        Assert.DoesNotContain(secret, message, StringComparison.Ordinal);
        Assert.StartsWith("it is ", message, StringComparison.Ordinal);
        Assert.EndsWith(" that was sent", message, StringComparison.Ordinal);
        Assert.Contains(EchoedSecrets.Mark, message, StringComparison.Ordinal);
        Assert.Equal("a/b", JsonElement.Parse(text).GetProperty("first").GetString());
    }

    /// <summary>A URL lower-cases the name of its host, and HTTP/2 the names of headers; others write such a name in any case.</summary>
    [Theory]
    [InlineData("https://ab3dE5.AB3DE5FG7HI9JK1LM3NO5PQ7.example/")]
    [InlineData("no such host: ab3de5fg7hi9jk1lm3no5pq7.example")]
    [InlineData("X-Ab3De5Fg7Hi9Jk1Lm3No5Pq7")]
    public void A_secret_is_found_where_case_does_not_count(string text)
    {
        const string token = "aB3dE5fG7hI9jK1lM3nO5pQ7";
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        var echoed = new EchoedSecrets(request, ExchangePolicy.Default.DroppedFields);
        Assert.Contains(EchoedSecrets.Mark, echoed.Remove(text), StringComparison.Ordinal);
        Assert.DoesNotContain(token, echoed.Remove(text), StringComparison.OrdinalIgnoreCase);
        using var answer = new HttpResponseMessage();
        Assert.True(answer.Headers.TryAddWithoutValidation(echoed.RemoveFromName($"x-{token.ToLowerInvariant()}"), "1"));
        Assert.Equal("x-credential-not-stored", Assert.Single(answer.Headers).Key);
    }

    [Theory]
    [InlineData("aB3dE5fG7hI9jK1lM3nO5pQ7rS9t", "aB3dE5fG7hI9jK1lM3nO", "")]
    [InlineData("aB3dE5fG7hI9jK1lM3nO5pQ7rS9t", "aB3dE5fG7hI9jK1l", "")]
    [InlineData("aB3dE5fG7hI9jK1lM3nO5pQ7rS9t", "aB3dE5fG7hI9jK1", "aB3dE5fG7hI9jK1")]
    [InlineData("northquay-auditor-token-aB3dE5fG7h", "northquay-auditor", "northquay-auditor")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl", "eyJhbGciOiJSUzI1NiJ9.", "eyJhbGciOiJSUzI1NiJ9.")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTYi", "")]
    public void The_beginning_of_a_secret_goes_if_it_is_long_and_no_name(string token, string quoted, string left)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        var echoed = new EchoedSecrets(request, ExchangePolicy.Default.DroppedFields);
        var text = $"{{\"message\":\"it is {quoted}... that was sent\"}}";
        var expected = text.Replace(quoted, left.Length > 0 ? left : EchoedSecrets.Mark, StringComparison.Ordinal);
        Assert.Equal(expected, Encoding.UTF8.GetString(echoed.Remove(Encoding.UTF8.GetBytes(text)).Span));
        Assert.Equal(expected, echoed.Remove(text));
    }

    [Theory]
    [InlineData("Bearer short")]
    [InlineData("Basic YTpi")]
    [InlineData("Negotiate")]
    public void An_answer_that_quotes_nothing_stays_as_it_came(string credential)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/");
        request.Headers.TryAddWithoutValidation("Authorization", credential);
        ReadOnlyMemory<byte> body = Encoding.UTF8.GetBytes("""{"a":"short \u0061 a:b Basic Negotiate YTpi"}""");
        Assert.Equal(body, new EchoedSecrets(request, ExchangePolicy.Default.DroppedFields).Remove(body));
    }
}
