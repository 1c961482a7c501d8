using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Tests.Rest;

/// <summary>Checks how each kind of pages ends, and that a list which may have more is never taken for a whole one.</summary>
public sealed class RestPagesTests
{
    private static readonly Uri Request = new("https://h.example/api/things?limit=2");

    [Theory]
    [InlineData("token", """{"next": 7, "things": [1, 2]}""", Codes.MalformedResponse, "/next is not a text")]
    [InlineData("token", """{"last": false, "things": [1, 2]}""", Codes.NextPageUnreadable, "is not the last page, but names no next page")]
    [InlineData("token", """{"last": true, "next": "t2", "things": [1, 2]}""", Codes.MalformedResponse, "is the last page, but names a next page")]
    [InlineData("token", """{"last": "yes", "things": []}""", Codes.MalformedResponse, "/last is not true or false")]
    [InlineData("token", """{"last": true, "things": [1], "moreItems": true}""", Codes.NextPageUnreadable, "says that more follows (moreItems)")]
    [InlineData("url", """{"next": "https://elsewhere.example/api/things?after=2", "things": [1, 2]}""", Codes.NextPageUnreadable, "on another host (elsewhere.example)")]
    [InlineData("url", """{"next": "https://h.example@elsewhere.example/api/things?after=2", "things": []}""", Codes.NextPageUnreadable, "on another host")]
    [InlineData("url", """{"next": "http://h.example/api/things?after=2", "things": [1, 2]}""", Codes.NextPageUnreadable, "on another host")]
    [InlineData("url", """{"next": "https://h.example/groups/12/things?after=2", "things": [1, 2]}""", Codes.NextPageUnreadable, "with another path (/groups/12/things)")]
    [InlineData("url", """{"next": "/api/things?after=2&access_token=abc", "things": [1, 2]}""", Codes.NextPageUnreadable, "with the parameter access_token")]
    [InlineData("url", """{"next": "/api/things", "things": [1, 2]}""", Codes.NextPageUnreadable, "that is the first one")]
    [InlineData("url", """{"next": null, "things": [1, 2]}""", Codes.MalformedResponse, "/next is not a text")]
    [InlineData("url", """{"next": "", "things": [1, 2]}""", Codes.MalformedResponse, "/next is empty")]
    [InlineData("url", """{"Next": "/api/things?limit=2&after=2", "things": [1]}""", Codes.MalformedResponse, "has Next where the API has next")]
    [InlineData("url", """{"next": "/api/things?limit=2", "things": [1, 2]}""", Codes.NextPageUnreadable, "that is the first one")]
    [InlineData("url", """{"next": "/api/things?limit=2&after=", "things": [1, 2]}""", Codes.NextPageUnreadable, "that is the first one")]
    [InlineData("url", """{"next": "/api/things?limit=2&after=2&after=3", "things": [1, 2]}""", Codes.NextPageUnreadable, "same parameter twice")]
    [InlineData("url", """{"next": "/api/things?after=2", "things": [1, 2]}""", Codes.NextPageUnreadable, "of another question")]
    [InlineData("url", """{"next": "/api/things?limit=1&after=2", "things": [1, 2]}""", Codes.NextPageUnreadable, "of another question")]
    [InlineData("url", """{"next": "/api/things?limit=2&filter=x&after=2", "things": [1]}""", Codes.NextPageUnreadable, "of another question")]
    [InlineData("token", """{"things": [1]}""", Codes.NextPageUnreadable, "does not say whether it is the last page")]
    [InlineData("token", """{"next": "", "last": true, "things": [1, 2]}""", Codes.MalformedResponse, "/next is empty")]
    [InlineData("token", """{"last": true, "errors": ["timed out"], "things": [1]}""", Codes.PartialAnswer, "errors: [\"timed out\"]")]
    [InlineData("token", """{"last": true, "warningMessages": ["no such value"], "things": [1]}""", Codes.PartialAnswer, "warningMessages")]
    [InlineData("offset", """{"total": 2, "startAt": 2, "things": [1, 2]}""", Codes.MalformedResponse, "begins at 0 was asked for")]
    [InlineData("counted", """{"size": 3, "last": true, "things": [1, 2]}""", Codes.CountsDiffer, "says that it has 3 rows, but has 2")]
    [InlineData("offset", """{"total": 3, "things": []}""", Codes.CountsDiffer, "the provider counts 3 rows, but 0 were read")]
    [InlineData("offset", """{"things": []}""", Codes.MalformedResponse, "does not say how many rows there are (/total)")]
    [InlineData("offset", """{"total": "3 or more", "things": [1]}""", Codes.MalformedResponse, "does not say how many rows there are")]
    [InlineData("page", """{"last": false, "things": []}""", Codes.NextPageUnreadable, "is empty, but says that it is not the last page")]
    [InlineData("capped", """{"things": [1, 2, 3]}""", Codes.CappedAnswer, "3 rows were read, and the provider returns at most 3")]
    [InlineData("capped", """{"things": [1], "next_page": "2"}""", Codes.NextPageUnreadable, "says that more follows (next_page)")]
    public void A_page_after_which_there_may_be_more_is_not_the_end(string pager, string body, string code, string why)
    {
        var failure = Assert.Throws<CollectionException>(() => After(pager, body));
        Assert.Equal(code, failure.Code);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_header_of_a_list_without_pages_is_not_ignored()
    {
        var failure = Assert.Throws<CollectionException>(() => After("capped", """{"things": [1]}""", "</api/things?after=2>; rel=next"));
        Assert.Equal(Codes.NextPageUnreadable, failure.Code);
    }

    [Theory]
    [InlineData("token", """{"next": "t2", "things": [1, 2]}""", "token=t2")]
    [InlineData("url", """{"next": "/api/things?after=2&limit=2", "things": [1, 2]}""", "=after=2&limit=2")]
    [InlineData("counted", """{"size": 2, "last": true, "things": [1, 2]}""", null)]
    [InlineData("token", """{"next": null, "last": true, "things": [1, 2]}""", null)]
    [InlineData("url", """{"next": "https://h.example/api/things?limit=2&after=x%26y", "things": [1, 2]}""", "=limit=2&after=x%26y")]
    [InlineData("url", """{"things": [1, 2]}""", null)]
    [InlineData("offset", """{"total": 3, "things": [1, 2]}""", "startAt=2")]
    [InlineData("offset", """{"total": 2, "things": [1, 2]}""", null)]
    [InlineData("page", """{"last": false, "things": [1, 2]}""", "page=2")]
    [InlineData("page", """{"things": [1, 2]}""", "page=2")]
    [InlineData("page", """{"things": [1]}""", null)]
    [InlineData("page", """{"last": true, "things": [1, 2]}""", null)]
    [InlineData("capped", """{"things": [1, 2]}""", null)]
    public void The_next_page_is_asked_for_in_the_providers_way(string pager, string body, string? next) =>
        Assert.Equal(next, After(pager, body) is { } page ? $"{page.Parameter}={page.Value}" : null);

    [Theory]
    [InlineData("garbage")]
    [InlineData("</api/things?limit=2&after=2>; rel='next'")]
    [InlineData("</api/things?limit=2&after=2>; rel=next, </api/things?limit=2&after=3>; rel=next")]
    [InlineData(null)]
    public void A_link_header_that_leads_nowhere_certain_is_not_the_end(string? link) =>
        Assert.Equal(Codes.NextPageUnreadable, Assert.Throws<CollectionException>(() => After("link", """{"things": [1, 2]}""", link)).Code);

    private static NextPage? After(string pager, string body, string? link = null)
    {
        var pages = pager switch
        {
            "token" => """ "pages": {"by": "token", "from": "/next", "to": "token", "last": "/last"} """,
            "url" => """ "pages": {"by": "url", "from": "/next", "own": ["after"]} """,
            "link" => """ "pages": {"by": "link", "size": "limit", "own": ["after"]} """,
            "offset" => """ "pages": {"by": "offset", "to": "startAt", "total": "/total"} """,
            "counted" => """ "pages": {"by": "offset", "to": "startAt", "last": "/last", "count": "/size"} """,
            "page" => """ "pages": {"by": "page", "to": "page", "size": "limit", "last": "/last"} """,
            _ => """ "cap": 3 """,
        };
        var operation = RestApi.Read(Encoding.UTF8.GetBytes(
            """{"api": "test", "base_path": "", "refused": {}, "operations": {"things.list": {"http": "GET api/things", "in": {"filter": "text in=query", "limit": "integer in=query"}, """
            + $$""" "rows": "things", "out": {"value": "integer"}, {{pages}} } } } """)).Operation("things.list")!;
        var parameters = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("limit", JsonElement.Parse("2"));
        var answer = new RestAnswer(200, Encoding.UTF8.GetBytes(body), name => name == "Link" ? link : null);
        var parsed = answer.Json("test:things.list");
        return new RestPages("test:things.list", operation, parameters).After(Request, answer, parsed, parsed.GetProperty("things").GetArrayLength());
    }
}
