using System.Text.Json;

namespace AuditCli.Evidence.Tests;

public sealed class MemberPathTests
{
    private static readonly JsonElement Row = JsonElement.Parse(
        """{"name":"main","head":{"sha":"abc","user":{"id":7},"labels":["x"],"none":null},"a.b":{"c":1},"a":{"b":{"c":2}},"""
        + """ "labels":{"app.kubernetes.io/name":"web","app":{"kubernetes":{"io/name":"other"}},"say \"x\"":{"y.z":3}},"\"q":4}""");

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
    [InlineData("labels.\"app.kubernetes.io/name\"", "\"web\"")]
    [InlineData("labels.app.kubernetes.io/name", "\"other\"")]
    [InlineData("labels.\"say \"\"x\"\"\".\"y.z\"", "3")]
    [InlineData("\"head\".\"sha\"", "\"abc\"")]
    [InlineData("\"a.b\".c", "1")]
    [InlineData("\"q", "4")]
    public void A_path_leads_from_the_longest_column_inwards(string path, string value) =>
        Assert.Equal(value, MemberPath.Of(path, IsColumn).In(Row)?.GetRawText());

    [Fact]
    public void A_path_without_a_column_names_what_was_taken_for_one()
    {
        var path = MemberPath.Of("haed.sha", IsColumn);

        Assert.Equal(("haed", "haed.sha"), (path.Column, path.ToString()));
    }

    [Theory]
    [InlineData("labels.\"app.kubernetes.io/name", "has a quotation mark that is not closed")]
    [InlineData("labels.\"", "has a quotation mark that is not closed")]
    [InlineData("labels.\"app.io\"/name", "goes on without a dot after \"app.io\"")]
    [InlineData("labels.\"a\".\"b\"c.d", "goes on without a dot after \"b\"")]
    [InlineData("labels.app\"x\"", "has a quotation mark inside a name; put the whole name in quotation marks, and write the one inside it twice")]
    [InlineData("\"labels.x", "has a quotation mark that is not closed")]
    public void A_wrong_quotation_mark_is_named(string path, string fault)
    {
        Assert.Equal(fault, MemberPath.FaultOf(path, IsColumn));
        Assert.Equal($"'{path}' {fault}", Assert.Throws<FormatException>(() => MemberPath.Of(path, IsColumn)).Message);
    }

    [Theory]
    [InlineData("labels.\"app.kubernetes.io/name\".x", "labels.\"app.kubernetes.io/name\".x")]
    [InlineData("labels.\"plain\"", "labels.plain")]
    [InlineData("labels.\"say \"\"x\"\"\"", "labels.\"say \"\"x\"\"\"")]
    public void A_path_is_printed_as_it_can_be_written(string path, string written) =>
        Assert.Equal(written, MemberPath.Of(path, IsColumn).ToString());

    private static bool IsColumn(string name) => name is "name" or "head" or "a" or "a.b" or "labels" or "\"q";
}
