using System.Text.Json;

namespace AuditCli.Evidence.Tests;

public sealed class MemberPathTests
{
    private static readonly JsonElement Row = JsonElement.Parse(
        """{"name":"main","head":{"sha":"abc","user":{"id":7},"labels":["x"],"none":null},"a.b":{"c":1},"a":{"b":{"c":2}}}""");

    [Theory]
    [InlineData("head.user.login")]
    [InlineData("head.labels.0")]
    [InlineData("head.none")]
    [InlineData("head.none.x")]
    [InlineData("head.sha.x")]
    [InlineData("tail")]
    public void What_is_not_there_is_no_value(string path) => Assert.Null(MemberPath.Of(path, IsColumn).In(Row));

    [Theory]
    [InlineData("name", "\"main\"")]
    [InlineData("head.sha", "\"abc\"")]
    [InlineData("head.user.id", "7")]
    [InlineData("head.user", """{"id":7}""")]
    [InlineData("a.b.c", "1")]
    public void A_path_leads_from_the_longest_column_inwards(string path, string value) =>
        Assert.Equal(value, MemberPath.Of(path, IsColumn).In(Row)?.GetRawText());

    [Fact]
    public void A_path_without_a_column_names_what_was_taken_for_one()
    {
        var path = MemberPath.Of("haed.sha", IsColumn);

        Assert.Equal(("haed", "haed.sha"), (path.Column, path.ToString()));
    }

    private static bool IsColumn(string name) => name is "name" or "head" or "a" or "a.b";
}
