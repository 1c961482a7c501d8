using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Tests forms of responses that AWS's protocols allow (https://smithy.io/2.0/spec/http-bindings.html) but hardly any service uses.
/// </summary>
public sealed class RareFormTests
{
    [Theory]
    [InlineData("\"hello\"", "{\"value\":\"hello\"}")]
    [InlineData("{\"foo\":\"bar\"}", "{\"value\":{\"foo\":\"bar\"}}")]
    [InlineData("[1,true,null]", "{\"value\":[1,true,null]}")]
    [InlineData("17.50", "{\"value\":17.50}")]
    [InlineData("false", "{\"value\":false}")]
    [InlineData("", "{}")]
    public void A_document_that_is_the_whole_body_may_be_any_value(string body, string read) =>
        Assert.Equal(read, Read("rest-json", """{"Out":{"members":{"value":"document"},"payload":"value"}}""", body));

    [Theory]
    [InlineData("{}", null)]
    [InlineData("\"hello\"", "MalformedResponse")]
    [InlineData("[]", "MalformedResponse")]
    public void A_structure_that_is_the_whole_body_is_an_object(string body, string? code)
    {
        const string shapes = """{"Out":{"members":{"value":"@Inner"},"payload":"value"},"Inner":{"members":{"a":"string"}}}""";
        if (code is null)
            Assert.Equal("{\"value\":{}}", Read("rest-json", shapes, body));
        else
            Assert.Equal(code, Assert.Throws<CollectionException>(() => Read("rest-json", shapes, body)).Code);
    }

    [Theory]
    [InlineData("in=query name=baz", "{\"baz\":\"bye\"}", "{\"value\":\"bye\"}")]
    [InlineData("in=uri name=baz", "{\"baz\":\"bye\"}", "{\"value\":\"bye\"}")]
    [InlineData("in=query name=baz", "{}", "{}")]
    [InlineData("in=query name=baz", "", "{}")]
    public void What_a_request_has_in_its_query_an_answer_has_in_its_body(string place, string body, string read) =>
        Assert.Equal(read, Read("rest-json", """{"Out":{"members":{"value":"string PLACE"}}}""".Replace("PLACE", place, StringComparison.Ordinal), body));

    [Fact]
    public void What_a_request_has_in_its_query_an_answer_in_XML_has_in_its_body() =>
        Assert.Equal(
            "{\"value\":\"bye\",\"other\":\"x\"}",
            Read(
                "rest-xml", """{"Out":{"members":{"value":"string in=query name=baz","other":"string"}}}""",
                "<R><baz>bye</baz><other>x</other></R>"));

    [Fact]
    public void Below_the_answer_itself_places_mean_nothing() =>
        Assert.Equal(
            "{\"inner\":{\"a\":\"x\",\"b\":\"y\"}}",
            Read(
                "rest-json",
                """{"Out":{"members":{"inner":"@Inner"}},"Inner":{"members":{"a":"string in=header name=x-a","b":"string in=query"}}}""",
                "{\"inner\":{\"x-a\":\"x\",\"b\":\"y\"}}"));

    [Fact]
    public void A_map_of_headers_without_a_prefix_has_every_header() =>
        Assert.Equal(
            "{\"all\":{\"hello\":\"There\",\"x-foo\":\"Foo\"},\"one\":\"There\"}",
            Read(
                "rest-json",
                """{"Out":{"members":{"all":"@Map in=headers","one":"string in=header name=hello"}},"Map":{"map":["string","string"]}}""",
                "", ("x-foo", "Foo"), ("hello", "There")));

    [Fact]
    public void A_map_of_headers_with_a_prefix_has_those_headers() =>
        Assert.Equal(
            "{\"some\":{\"a\":\"1\"}}",
            Read("rest-json", """{"Out":{"members":{"some":"@Map in=headers name=x-"}},"Map":{"map":["string","string"]}}""", "", ("x-a", "1"), ("y-b", "2")));

    [Fact]
    public void A_text_that_is_the_whole_body_is_not_bent_into_UTF_8()
    {
        var (service, operation) = Operation("rest-json", """{"Out":{"members":{"value":"string"},"payload":"value"}}""");
        Assert.Equal(
            "MalformedResponse",
            Assert.Throws<CollectionException>(() =>
                TypedJson.Read(service, operation, new(200, new Dictionary<string, string>(), new byte[] { 0x63, 0xE9 }))).Code);
    }

    private static string Read(string protocol, string shapes, string body, params (string Name, string Value)[] headers)
    {
        var (service, operation) = Operation(protocol, shapes);
        var fields = headers.ToDictionary(h => h.Name, h => h.Value, StringComparer.OrdinalIgnoreCase);
        return TypedJson.Read(service, operation, new(200, fields, Encoding.UTF8.GetBytes(body))).GetRawText();
    }

    private static (ServiceModel, OperationModel) Operation(string protocol, string shapes)
    {
        var lines = string.Join(",\n", JsonDocument.Parse(shapes).RootElement.EnumerateObject().Select(s => $"\"{s.Name}\":{s.Value.GetRawText()}"));
        var file = $$$"""
            {"service":"rare","id":"Rare","protocol":"{{{protocol}}}","version":"1","endpoint_prefix":"rare","signing_name":"rare","scope":"regional","endpoints":{},"refused":{},
            "operations":{
            "GetIt":{"http":"GET /it","out":"Out"}
            },
            "shapes":{
            {{{lines}}}
            }}
            """.ReplaceLineEndings("\n");
        var service = ServiceModel.Read(Encoding.UTF8.GetBytes(file), new(PartitionRules.Read(new MemoryStream("{}"u8.ToArray()))));
        return (service, service.Operation("GetIt")!);
    }
}
