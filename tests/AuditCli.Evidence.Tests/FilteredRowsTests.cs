using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tests;

public sealed class FilteredRowsTests
{
    private static readonly ImmutableArray<Column> Columns =
        [new("eventName", ColumnType.Text), new("readOnly", ColumnType.Boolean), new("port", ColumnType.Integer), new("userIdentity", ColumnType.Json)];

    [Theory]
    [InlineData("""{"eventName":["CreateUser"]}""", """{"eventName":"DeleteUser"}""")]
    [InlineData("""{"eventName":["CreateUser"]}""", """{"eventName":"createuser"}""")]
    [InlineData("""{"eventName":["CreateUser"]}""", """{"eventName":"CreateUser2"}""")]
    [InlineData("""{"eventName":["CreateUser"]}""", """{"eventName":null}""")]
    [InlineData("""{"eventName":["CreateUser"]}""", "{}")]
    [InlineData("""{"eventName":["Attach*Policy"]}""", """{"eventName":"AttachPolicies"}""")]
    [InlineData("""{"eventName":["*a*b*"]}""", """{"eventName":"b a"}""")]
    [InlineData("""{"eventName":["ab*ba"]}""", """{"eventName":"aba"}""")]
    [InlineData("""{"readOnly":[true]}""", """{"readOnly":false}""")]
    [InlineData("""{"port":[22]}""", """{"port":"220"}""")]
    [InlineData("""{"userIdentity.type":["Root"]}""", """{"userIdentity":{"type":"IAMUser"}}""")]
    [InlineData("""{"userIdentity.port":[443]}""", """{"userIdentity":{"port":"443"}}""")]
    [InlineData("""{"eventName":["CreateUser"],"userIdentity.type":["Root"]}""", """{"eventName":"CreateUser","userIdentity":{"type":"IAMUser"}}""")]
    [InlineData("""{"eventName":["CreateUser"],"userIdentity.type":["Root"]}""", """{"eventName":"CreateUser"}""")]
    public void A_row_for_which_one_condition_does_not_hold_is_left_out(string filter, string row)
    {
        var rows = Of(filter);

        Assert.False(rows.Takes(JsonElement.Parse(row)));
        Assert.Equal((1, 0), (rows.Read, rows.Kept));
    }

    [Theory]
    [InlineData("""{"eventName":["CreateUser","DeleteUser"]}""", """{"eventName":"DeleteUser"}""")]
    [InlineData("""{"eventName":["Attach*"]}""", """{"eventName":"AttachUserPolicy"}""")]
    [InlineData("""{"eventName":["*"]}""", """{"eventName":""}""")]
    [InlineData("""{"eventName":["*User*Policy"]}""", """{"eventName":"PutUserGroupPolicy"}""")]
    [InlineData("""{"readOnly":[false]}""", """{"readOnly":false}""")]
    [InlineData("""{"port":[22]}""", """{"port":22}""")]
    [InlineData("""{"port":[22]}""", """{"port":"22"}""")]
    [InlineData("""{"userIdentity.type":["Root"]}""", """{"userIdentity":{"type":"\u0052oot"}}""")]
    [InlineData("""{"userIdentity.port":[443]}""", """{"userIdentity":{"port":443.0}}""")]
    [InlineData("""{"userIdentity.mfa":[true]}""", """{"userIdentity":{"mfa":true}}""")]
    [InlineData("""{"userIdentity.\"app.io/name\"":["web"]}""", """{"userIdentity":{"app.io/name":"web","app":{"io/name":"db"}}}""")]
    [InlineData("""{"eventName":["CreateUser"],"userIdentity.type":["Root"]}""", """{"eventName":"CreateUser","userIdentity":{"type":"Root"}}""")]
    public void A_row_for_which_every_condition_holds_is_taken(string filter, string row)
    {
        var rows = Of(filter);

        Assert.True(rows.Takes(JsonElement.Parse(row)));
        Assert.Equal((1, 1), (rows.Read, rows.Kept));
        Assert.Empty(rows.Unseen);
    }

    /// <summary>Such a row goes into the table, whose writer reports the value; dropping it would hide that it was not understood.</summary>
    [Theory]
    [InlineData("""{"eventName":["CreateUser"]}""", """{"eventName":7}""")]
    [InlineData("""{"eventName":["CreateUser*"]}""", """{"eventName":"\ud800"}""")]
    [InlineData("""{"readOnly":[true]}""", """{"readOnly":"true"}""")]
    [InlineData("""{"port":[22]}""", """{"port":"twenty-two"}""")]
    public void A_row_whose_value_does_not_fit_its_column_is_not_hidden(string filter, string row) => Assert.True(Of(filter).Takes(JsonElement.Parse(row)));

    [Theory]
    [InlineData("""{"userIdentity.typ":["Root"]}""", "userIdentity.typ", """{"userIdentity":{"type":"Root"}}""", """{"userIdentity":{"type":"IAMUser"}}""")]
    [InlineData("""{"userIdentity.type":["Root"]}""", "userIdentity.type", """{"userIdentity":{"type":["Root"]}}""")]
    [InlineData("""{"userIdentity.type":["x*"]}""", "userIdentity.type", """{"userIdentity":{"type":"hmac-sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}""")]
    [InlineData("""{"eventName":["x*"]}""", "eventName", """{"eventName":"hmac-sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}""")]
    [InlineData("""{"userIdentity.type":["5"]}""", "userIdentity.type", """{"userIdentity":{"type":5}}""")]
    [InlineData("""{"userIdentity":["Root"]}""", "userIdentity", """{"userIdentity":{"type":"Root"}}""")]
    [InlineData(
        """{"eventName":["CreateUser"],"userIdentity.typ":["Root"]}""", "userIdentity.typ",
        """{"eventName":"CreateUser","userIdentity":{"type":"Root"}}""", """{"eventName":"DeleteUser","userIdentity":{"typ":"x"}}""")]
    [InlineData("""{"userIdentity.a":["x"],"userIdentity.b":["x"]}""", "userIdentity.a userIdentity.b", """{"userIdentity":{"c":"x"}}""")]
    public void A_member_that_no_row_has_is_named_instead_of_looking_like_an_empty_table(string filter, string unseen, params string[] rows)
    {
        var filtered = Of(filter);

        Assert.All(rows, r => Assert.False(filtered.Takes(JsonElement.Parse(r))));
        Assert.Equal(unseen.Split(' '), filtered.Unseen);
    }

    [Theory]
    [InlineData("""{"userIdentity.type":["Root"]}""")]
    [InlineData("""{"userIdentity.type":["Root"]}""", """{"userIdentity":{"type":"IAMUser"}}""", "{}")]
    [InlineData("""{"eventName":["CreateUser"],"userIdentity.type":["Root"]}""", """{"eventName":"DeleteUser"}""")]
    [InlineData("""{"port":[22],"eventName":["x"]}""", "{}")]
    [InlineData("""{"userIdentity.a":["x"],"userIdentity.b":["x"]}""", """{"userIdentity":{"a":"y"}}""", """{"userIdentity":{"b":"y"}}""")]
    public void A_member_is_not_missed_where_no_row_could_have_been_meant(string filter, params string[] rows)
    {
        var filtered = Of(filter);

        Assert.All(rows, r => Assert.False(filtered.Takes(JsonElement.Parse(r))));
        Assert.Empty(filtered.Unseen);
    }

    [Fact]
    public void Filters_of_equal_content_have_one_form_and_a_number_is_not_its_digits()
    {
        Assert.Equal(Form("""{"a":["x","y"],"b":[1]}"""), Form("""{"b":[1],"a":["y","x","x"]}"""));
        Assert.NotEqual(Form("""{"a":[1]}"""), Form("""{"a":["1"]}"""));
        Assert.NotEqual(Form("""{"a":[9007199254740992]}"""), Form("""{"a":[9007199254740993]}"""));
        Assert.NotEqual(Form("""{"a":[true]}"""), Form("""{"a":["true"]}"""));

        static string Form(string filter) => System.Text.Encoding.UTF8.GetString(CanonicalJson.Encode(Filter(filter).Canonical()));
    }

    private static FilteredRows Of(string filter) => new(Filter(filter), Columns);

    private static RowFilter Filter(string filter) =>
        new([.. JsonElement.Parse(filter).EnumerateObject().Select(c => new RowCondition(c.Name, [.. c.Value.EnumerateArray()]))]);
}
