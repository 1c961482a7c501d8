using System.Text;
using AuditCli.Collectors.HttpApi;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Tests.Rest;

/// <summary>Checks that only requests of the catalogue are sent, whatever code or person wrote them.</summary>
public sealed class RestGuardTests
{
    private const string Operations = """
        "users.list": {"http": "GET api/users", "in": {"limit": "integer in=query"}, "rows": "", "pages": {"by": "link", "own": ["after"]}, "out": {"id": "text"}},
        "users.get": {"http": "GET api/users/{id}", "in": {"id": "text in=path required"}, "out": {"id": "text"}},
        "rules.get": {"http": "GET api/rules/{number}", "in": {"number": "integer in=path required"}, "out": {"id": "text"}}
        """;

    [Theory]
    [InlineData("POST", "https://h.example/base/api/users")]
    [InlineData("DELETE", "https://h.example/base/api/users/u1")]
    [InlineData("HEAD", "https://h.example/base/api/users")]
    [InlineData("GET", "https://other.example/base/api/users")]
    [InlineData("GET", "http://h.example/base/api/users")]
    [InlineData("GET", "https://h.example:8443/base/api/users")]
    [InlineData("GET", "https://h.example/api/users")]
    [InlineData("GET", "https://h.example/base/api/users/u1/lifecycle")]
    [InlineData("GET", "https://h.example/base/api/users/")]
    [InlineData("GET", "https://h.example/base/api/users/..")]
    [InlineData("GET", "https://h.example/base/api/users/%2e%2e")]
    [InlineData("GET", "https://h.example/base/api/users/%252e%252e")]
    [InlineData("GET", "https://h.example/base/api/users/a%2f..%2fb")]
    [InlineData("GET", "https://h.example/base/api/rules/u1")]
    [InlineData("GET", "https://h.example/base/api/rules/1e3")]
    [InlineData("GET", "https://h.example/base/api/rules/-1")]
    [InlineData("GET", "https://h.example/base/api/users?access_token=abc")]
    [InlineData("GET", "https://h.example/base/api/users?_method=DELETE")]
    [InlineData("GET", "https://h.example/base/api/users/u1?limit=1")]
    public void What_the_catalogue_does_not_list_is_not_sent(string method, string url) =>
        Assert.Contains("is not in the read-only catalogue", Refusal(method, url), StringComparison.Ordinal);

    [Theory]
    [InlineData("X-HTTP-Method-Override")]
    [InlineData("X-HTTP-Method")]
    [InlineData("X-Method-Override")]
    public void A_header_that_changes_the_method_is_not_sent(string header) =>
        Assert.NotNull(Refusal("GET", "https://h.example/base/api/users", header));

    [Theory]
    [InlineData("https://h.example/base/api/users")]
    [InlineData("https://h.example/base/api/users?limit=200&after=abc")]
    [InlineData("https://h.example/base/api/users/a%2Fb%3Ac")]
    [InlineData("https://h.example/base/api/rules/17")]
    public void What_the_catalogue_lists_is_sent(string url) => Assert.Null(Refusal("GET", url));

    [Theory]
    [InlineData("GET api/users/{name}", "users.get")]
    [InlineData("GET api/users/me", "users.get")]
    [InlineData("GET api/rules/{id}", "rules.get")]
    [InlineData("GET api/rules/12", "rules.get")]
    [InlineData("GET api/{kind}/u1", "users.get")]
    public void A_template_that_matches_the_request_of_another_operation_is_refused_by_both_names(string http, string other)
    {
        var api = Api($$$""", "extra": {"http": "{{{http}}}", "in": {}, "out": {"id": "text"}}""");
        var failure = Assert.Throws<InvalidDataException>(() => HttpApiProducts.Checked(api));
        Assert.Equal($"test: the same request could be {other} and extra; give a path segment a type or a constant", failure.Message);
    }

    [Theory]
    [InlineData("GET api/rules/latest")]
    [InlineData("POST api/users/{name}")]
    [InlineData("GET api/users/{name}/roles")]
    public void Templates_that_no_request_fits_both_are_accepted(string http) =>
        Assert.Equal("test", HttpApiProducts.Checked(Api($$$""", "extra": {"http": "{{{http}}}", "in": {}, "out": {"id": "text"}}""")).Name);

    [Fact]
    public void No_request_to_a_shipped_product_is_two_operations() => Assert.Equal(4, HttpApiProducts.Load(new(HttpApiProducts.Catalogue)).Length);

    private static RestApi Api(string more = "") =>
        RestApi.Read(Encoding.UTF8.GetBytes($$$"""{"api": "test", "base_path": "", "refused": {}, "operations": { {{{Operations}}} {{{more}}} }}"""));

    private static string? Refusal(string method, string url, string? header = null)
    {
        // Uri would resolve the dots, which an SDK could send all the same.
        using var request = new HttpRequestMessage(new(method), new Uri(url, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (header is not null)
            request.Headers.Add(header, "DELETE");
        return new RestGuard(Api(), new("https://h.example/base/")).Refusal(request);
    }
}
