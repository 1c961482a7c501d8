using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Tests.Rest;

/// <summary>Checks which responses are not those of an operation, and how rows are made of those that are.</summary>
public sealed class RestRowsTests
{
    [Theory]
    [InlineData("""[{"id": "1"}]""", "is not an object with /data")]
    [InlineData("""{}""", "has no list /data")]
    [InlineData("""{"message": "blocked by proxy"}""", "has no list /data, but message")]
    [InlineData("""{"data": {}}""", "has no list /data")]
    [InlineData("""{"Data": []}""", "has Data where the API has data")]
    [InlineData("""{"data": ["1"]}""", "/data/0 is not an object")]
    [InlineData("""{"data": [{"ID": "1"}]}""", "/data/0 has ID where the API has id")]
    [InlineData("""{"data": [{"id": "1"}, {"uid": "2"}]}""", "/data/1 has no member of the API, but uid")]
    [InlineData("""{"data": [{"id": "1", "attributes": []}]}""", "/data/0/attributes is not an object")]
    [InlineData("""{"data": [{"id": "1", "attributes": {"id": "2"}}]}""", "/data/0 has id, and so has its attributes")]
    public void A_response_of_another_form_is_malformed(string body, string why)
    {
        var failure = Assert.Throws<CollectionException>(() => Rows(body));
        Assert.Equal(Codes.MalformedResponse, failure.Code);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"data": [], "data": [{"id": "1"}]}""")]
    [InlineData("""{"data": [{"id": "1", "id": "2"}]}""")]
    public void A_member_that_is_there_twice_is_malformed(string body) =>
        Assert.Equal(
            Codes.MalformedResponse,
            Assert.Throws<CollectionException>(() => new RestAnswer(200, Encoding.UTF8.GetBytes(body), _ => null).Json("x")).Code);

    [Theory]
    [InlineData("""{"data": []}""", "")]
    [InlineData("""{"data": [{"id": "1", "_other": "mine"}]}""", """/data/0 {"id":"1","_other":{"_other":"mine"}}""")]
    [InlineData("""{"data": [{"id": "1"}]}""", """/data/0 {"id": "1"}""")]
    [InlineData(
        """{"data": [{"id": "1", "type": "runs", "attributes": {"status": "applied", "has-changes": true}, "links": {"self": "/1"}}]}""",
        """/data/0 {"id":"1","status":"applied","_other":{"type":"runs","links":{"self":"/1"},"has-changes":true}}""")]
    public void Attributes_of_a_row_are_columns_and_unlisted_members_are_kept(string body, string rows) => Assert.Equal(rows, Rows(body));

    private static string Rows(string body)
    {
        var operation = RestApi.Read(Encoding.UTF8.GetBytes("""
            {"api": "test", "base_path": "", "refused": {}, "operations": {"things.list": {
              "http": "GET api/things", "in": {}, "rows": "data", "flatten": "attributes",
              "out": {"id": "text", "status": "text", "_other": "json"}}}}
            """)).Operation("things.list")!;
        using var document = JsonDocument.Parse(body);
        var elements = RestRows.Elements("test:things.list", operation, document.RootElement);
        return string.Join('\n', RestRows.Read("test:things.list", operation, elements).Select(r => $"{r.Pointer} {r.Value.GetRawText()}"));
    }
}
