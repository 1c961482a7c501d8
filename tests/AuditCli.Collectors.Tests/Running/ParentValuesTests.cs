using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Running;

public sealed class ParentValuesTests
{
    private static readonly ImmutableArray<Column> Columns =
    [
        new("_ref", ColumnType.Text), new("name", ColumnType.Text), new("head", ColumnType.Json), new("active", ColumnType.Boolean),
        new("size", ColumnType.Integer), new("_with_Flag", ColumnType.Text),
    ];

    [Theory]
    [InlineData("name", ColumnType.Text, "{}", "a parent row has no name")]
    [InlineData("name", ColumnType.Text, """{"name":"hmac-sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}""", "name of a parent row was replaced, because it is a secret")]
    [InlineData("head.sha", ColumnType.Text, """{"head":{"sha":"x [credential not stored]"}}""", "head.sha of a parent row was replaced, because it is a secret")]
    [InlineData("head.sha", ColumnType.Text, """{"name":"a"}""", "a parent row has no head.sha")]
    [InlineData("head.sha", ColumnType.Text, """{"head":{"sha":null}}""", "a parent row has no head.sha")]
    [InlineData("head.\"a.io/n\"", ColumnType.Text, """{"head":{"a":{"io/n":"x"}}}""", "a parent row has no head.\"a.io/n\"")]
    [InlineData("head.labels.name", ColumnType.Text, """{"head":{"labels":[{"name":"x"}]}}""", "a parent row has no head.labels.name")]
    [InlineData("head.sha", ColumnType.Text, """{"head":{"sha":["a"]}}""", "head.sha of a parent row is a list, which the parameter ref does not take")]
    [InlineData("head.sha", ColumnType.Text, """{"head":{"sha":{}}}""", "head.sha of a parent row is an object, which the parameter ref does not take")]
    [InlineData("head.n", ColumnType.Integer, """{"head":{"n":"1.5"}}""", "head.n of a parent row is a text, which the parameter ref does not take")]
    [InlineData("head.n", ColumnType.Integer, """{"head":{"n":true}}""", "head.n of a parent row is a boolean, which the parameter ref does not take")]
    [InlineData("head.n", ColumnType.Boolean, """{"head":{"n":1}}""", "head.n of a parent row is a number, which the parameter ref does not take")]
    [InlineData("head.at", ColumnType.Timestamp, """{"head":{"at":"today"}}""", "head.at of a parent row is a text, which the parameter ref does not take")]
    [InlineData("active", ColumnType.Integer, """{"active":true}""", "active of a parent row is a boolean, which the parameter ref does not take")]
    [InlineData("size", ColumnType.Boolean, """{"size":1}""", "size of a parent row is a number, which the parameter ref does not take")]
    [InlineData("name", ColumnType.Boolean, """{"name":"True"}""", "name of a parent row is a text, which the parameter ref does not take")]
    [InlineData("name", ColumnType.Integer, """{"name":"seven"}""", "name of a parent row is a text, which the parameter ref does not take")]
    [InlineData("name", ColumnType.Double, """{"name":"NaN"}""", "name of a parent row is a text, which the parameter ref does not take")]
    [InlineData("head", ColumnType.Text, """{"head":{}}""", "head of a parent row is an object, which the parameter ref does not take")]
    public void A_row_without_a_value_that_fits_is_not_asked_for_and_the_path_is_named(string path, ColumnType type, string row, string message)
    {
        var question = Of(path, type).In(JsonElement.Parse(row));

        Assert.Equal((Codes.NoParentValue, message), question.Failure);
        Assert.Empty(question.Parameters);
    }

    [Theory]
    [InlineData("name", ColumnType.Text, """{"name":"a"}""", "\"a\"", "a")]
    [InlineData("head.sha", ColumnType.Text, """{"head":{"sha":"abc"}}""", "\"abc\"", "abc")]
    [InlineData("head.\"app.io/name\"", ColumnType.Text, """{"head":{"app.io/name":"web","app":{"io/name":"db"}}}""", "\"web\"", "web")]
    [InlineData("head.id", ColumnType.Text, """{"head":{"id":9007199254740993}}""", "\"9007199254740993\"", "9007199254740993")]
    [InlineData("head.id", ColumnType.Text, """{"head":{"id":false}}""", "\"false\"", "false")]
    [InlineData("head.id", ColumnType.Integer, """{"head":{"id":"7"}}""", "\"7\"", "7")]
    [InlineData("head.id", ColumnType.Integer, """{"head":{"id":7}}""", "7", "7")]
    [InlineData("head.ids", ColumnType.Json, """{"head":{"ids":[1,2]}}""", "[1,2]", "[1,2]")]
    [InlineData("active", ColumnType.Text, """{"active":true}""", "\"true\"", "true")]
    [InlineData("size", ColumnType.Text, """{"size":9007199254740993}""", "\"9007199254740993\"", "9007199254740993")]
    [InlineData("_with_Flag", ColumnType.Boolean, """{"_with_Flag":"false"}""", "false", "false")]
    [InlineData("_with_Flag", ColumnType.Double, """{"_with_Flag":"1.5"}""", "1.5", "1.5")]
    public void A_value_is_passed_on_in_the_form_that_the_parameter_takes(string path, ColumnType type, string row, string passed, string text)
    {
        var question = Of(path, type).In(JsonElement.Parse(row));

        Assert.Null(question.Failure);
        Assert.Equal((passed, text), (question.Parameters["ref"].GetRawText(), Assert.Single(question.Texts)));
    }

    [Fact]
    public void Rows_ask_the_same_where_the_passed_values_are_the_same()
    {
        var values = Of("head.sha", ColumnType.Text);
        var (one, other) = (JsonElement.Parse("""{"name":"a","head":{"sha":"x"}}"""), JsonElement.Parse("""{"name":"b","head":{"sha":"x"}}"""));

        Assert.Equal(values.KeyOf(one), values.KeyOf(other));
        Assert.NotEqual(values.KeyOf(one), values.KeyOf(JsonElement.Parse("""{"head":{"sha":"y"}}""")));
        Assert.NotEqual(values.KeyOf(one, "urn:1"), values.KeyOf(other, "urn:2"));
    }

    private static ParentValues Of(string path, ColumnType type) => new(
        new(
            "k", "t", new("aws", "a:B", OperationScope.Global, [new("ref", type, true)], []), ImmutableSortedDictionary<string, JsonElement>.Empty,
            "p", ImmutableSortedDictionary<string, string>.Empty.Add("ref", path), [], null, []),
        Columns);
}
