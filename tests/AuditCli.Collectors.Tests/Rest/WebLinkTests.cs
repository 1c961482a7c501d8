using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Tests.Rest;

/// <summary>Checks the forms of RFC 8288, sections 3 and 3.5.</summary>
public sealed class WebLinkTests
{
    [Theory]
    [InlineData("https://a.example/1; rel=\"next\"")]
    [InlineData("<https://a.example/1; rel=\"next\"")]
    [InlineData("<https://a.example/1>; rel=\"next")]
    [InlineData("<https://a.example/1>; rel='next'")]
    [InlineData("<https://a.example/1>; rel*=UTF-8''next")]
    [InlineData("<https://a.example/1> rel=\"next\"")]
    [InlineData("<https://a.example/1>; rel=\"self\",")]
    [InlineData("<https://a.example/1>; =next")]
    [InlineData("garbage")]
    public void A_field_that_cannot_be_read_is_not_one_without_links(string field) => Assert.Null(WebLink.Next(field));

    [Theory]
    [InlineData("")]
    [InlineData("<https://a.example/2>")]
    [InlineData("<https://a.example/1>; rel=\"self\"")]
    [InlineData("<https://a.example/1>; rel=\"previous\"; title=\"rel=next\"")]
    [InlineData("<https://a.example/1>; rel=\"prev\"; title=\"a, b; rel=\\\"next\\\"\"")]
    [InlineData("<https://a.example/1>; rel=\"last\"; rel=\"next\"")]
    public void A_field_without_a_next_link_has_none(string field) => Assert.Equal([], WebLink.Next(field));

    [Theory]
    [InlineData("<https://a.example/2>; rel=\"next\"", "https://a.example/2")]
    [InlineData("<https://a.example/2>;rel=next", "https://a.example/2")]
    [InlineData("<https://a.example/2>;;rel=next;", "https://a.example/2")]
    [InlineData("<https://a.example/2?x=1,2>; REL=\"Next\"", "https://a.example/2?x=1,2")]
    [InlineData("<https://a.example/1>; rel=\"self\", <https://a.example/2>; rel=\"next\"", "https://a.example/2")]
    [InlineData("<https://a.example/2>; title=\"a, b; rel=\\\"prev\\\"\"; rel=\"next\"", "https://a.example/2")]
    [InlineData("<https://a.example/1>; title=\"a, <b>\"; rel=\"self\",<https://a.example/2>; title=\"next\"; rel=\"last next\"", "https://a.example/2")]
    [InlineData("</users?after=2>; rel=\"next\"", "/users?after=2")]
    [InlineData("</2>; rel=next, </3>; rel=next", "/2 /3")]
    public void Every_link_whose_relations_have_next_is_found(string field, string targets) =>
        Assert.Equal(targets, string.Join(' ', WebLink.Next(field)!));
}
