using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Tests.Loading;

/// <summary>Tests what <c>keep</c>, <c>where</c> and paths in <c>with</c> refuse, and what they mean where they are accepted.</summary>
public sealed class RowFilterReaderTests
{
    private const string Users = "  u: { aws: iam:ListUsers }\n";

    [Theory]
    [InlineData("keep: UserName = 'x'", "20:34: 'keep' must be a map, but is text")]
    [InlineData("keep: []", "20:34: 'keep' must be a map, but is a list")]
    [InlineData("keep: {}", "20:34: 'keep' must have at least one entry")]
    [InlineData("keep: { UserName: [] }", "20:46: 'UserName' must have at least one item")]
    [InlineData("keep: { UserName: null }", "20:46: the value for 'UserName' is empty")]
    [InlineData("keep: { UserName: [a, {}] }", "20:50: the value for 'UserName' must be text, but is a map")]
    [InlineData("keep: { UserName: [a, [b]] }", "20:50: the value for 'UserName' must be text, but is a list")]
    [InlineData("keep: { Tags.n: 1.5 }", "20:44: the value for 'Tags.n' must be a text, a whole number of 64 bits, true or false, but is '1.5'")]
    [InlineData("keep: { UserNam: a }", "20:36: 'u' (iam:ListUsers) has no column 'UserNam'; did you mean 'UserName'?")]
    [InlineData("keep: { Tag.team: a }", "20:36: 'u' (iam:ListUsers) has no column 'Tag'; did you mean 'Tags'?")]
    [InlineData(
        "keep: { UserName.first: a }",
        "20:36: 'UserName.first' reaches into column 'UserName' of 'u' (iam:ListUsers), which is text; only a json column has members")]
    [InlineData("keep: { Tags..team: a }", "20:36: 'Tags..team' has a member without a name")]
    [InlineData("keep: { Tags.: a }", "20:36: 'Tags.' has a member without a name")]
    [InlineData("keep: { 'Tags.\"app.io/name': a }", "20:36: 'Tags.\"app.io/name' has a quotation mark that is not closed")]
    [InlineData("keep: { 'Tags.\"app.io\"/name': a }", "20:36: 'Tags.\"app.io\"/name' goes on without a dot after \"app.io\"")]
    [InlineData("keep: { 'Tags.\"\"': a }", "20:36: 'Tags.\"\"' has a member without a name")]
    [InlineData(
        "keep: { Tags.team: a, 'Tags.\"team\"': b }",
        "20:50: 'Tags.\"team\"' is the same place as 'Tags.team'; give all its values in one list")]
    [InlineData("keep: { UserName: 7 }", "20:46: column 'UserName' of 'u' (iam:ListUsers) is text, so it is never '7'; put it in quotes if the text is meant")]
    [InlineData(
        "keep: { CreateDate: 2026-01-01T00:00:00Z }",
        "20:36: 'keep' compares texts, whole numbers, booleans and members of JSON, but column 'CreateDate' of 'u' (iam:ListUsers) is timestamp; "
            + "narrow it with a parameter of the operation, or in the SQL of the test")]
    [InlineData("where: { UserName: a }", "20:35: 'where' selects rows of the table that 'for_each' names, but there is no 'for_each'")]
    [InlineData("kep: { UserName: a }", "20:28: unknown key 'kep'; did you mean 'keep'?")]
    public void A_filter_that_could_never_hold_is_refused_with_its_place(string filter, string fault) =>
        Assert.Equal([fault], Samples.FaultsOf(Samples.Minimal(evidence: $"  u: {{ aws: iam:ListUsers, {filter} }}\n")));

    [Theory]
    [InlineData("keep: { mfa_active: 'true' }", "20:58: column 'mfa_active' of 'r' (iam:GetCredentialReport) is boolean, so it is never the text 'true'")]
    [InlineData("keep: { arn: a }", null)]
    public void A_boolean_is_compared_with_booleans(string filter, string? fault) => Assert.Equal(
        fault is null ? [] : [fault], Samples.FaultsOf(Samples.Minimal(evidence: $"  r: {{ aws: iam:GetCredentialReport, {filter} }}\n")));

    [Theory]
    [InlineData("with: { UserName: UserName.x }", "21:64: 'UserName.x' reaches into column 'UserName' of 'u' (iam:ListUsers), which is text; "
        + "only a json column has members")]
    [InlineData("with: { UserName: Tags.app\"x\" }", "21:64: 'Tags.app\"x\"' has a quotation mark inside a name; "
        + "put the whole name in quotation marks, and write the one inside it twice")]
    [InlineData("with: { UserName: UserName }, where: { 'Tags.\"a.b': x }", "21:85: 'Tags.\"a.b' has a quotation mark that is not closed")]
    [InlineData("with: { UserName: Tag.name }", "21:64: 'u' (iam:ListUsers) has no column 'Tag'; did you mean 'Tags'?")]
    [InlineData("with: { UserName: UserName }, where: { UserNam: a }", "21:85: 'u' (iam:ListUsers) has no column 'UserNam'; did you mean 'UserName'?")]
    [InlineData("with: { UserName: UserName }, where: { SerialNumber: a }", "21:85: 'u' (iam:ListUsers) has no column 'SerialNumber'")]
    [InlineData("with: { UserName: UserName }, keep: { UserName: a }", "21:84: 'm' (iam:ListMFADevices) has no column 'UserName'")]
    public void A_path_is_checked_against_the_table_that_it_is_about(string keys, string fault) =>
        Assert.Equal([fault], Samples.FaultsOf(Samples.Minimal(evidence: $"{Users}  m: {{ aws: iam:ListMFADevices, for_each: u, {keys} }}\n")));

    [Theory]
    [InlineData("=Arn,Tags", "20:74: 'u' (iam:ListUsers) has no column 'UserName'")]
    [InlineData("=Arn,UserName", null)]
    [InlineData("/", null)]
    public void A_column_that_a_parameter_leaves_out_cannot_be_compared(string chosen, string? fault) => Assert.Equal(
        fault is null ? [] : [fault],
        Samples.FaultsOf(Samples.Minimal(evidence: $"  u: {{ aws: iam:ListUsers, params: {{ PathPrefix: '{chosen}' }}, keep: {{ UserName: x }} }}\n"))
            .Select(f => fault is null ? f : System.Text.RegularExpressions.Regex.Replace(f, @"\A20:\d+", "20:74")));

    [Fact]
    public void A_file_is_not_filtered_because_all_of_it_is_evidence() => Assert.Equal(
        ["20:17: unknown key 'keep'"], Samples.FaultsOf(Samples.Minimal(evidence: "  f: { file: f, keep: { a: x }, columns: { a: text } }\n")));

    [Fact]
    public void Filters_and_paths_are_read_as_they_are_written()
    {
        var evidence = Users
            + "  m: { aws: iam:ListMFADevices, for_each: u, with: { UserName: Tags.login.name }, where: { UserName: ['a*', b], Tags.n: [7, true] } }\n"
            + "  n: { aws: iam:ListMFADevices, for_each: m, with: { UserName: _with_UserName }, where: { _with_UserName: x }, keep: { SerialNumber: '7' } }\n";
        var control = Samples.Loaded(Samples.Minimal(evidence: evidence)).Control;

        Assert.Equal("Tags.login.name", control.Evidence[1].With["UserName"]);
        Assert.Equal("""{"Tags.n":["json:7","json:true"],"UserName":["text:a*","text:b"]}""", Form(control.Evidence[1].Where));
        Assert.Null(control.Evidence[1].Keep);
        Assert.Equal("""{"_with_UserName":["text:x"]}""", Form(control.Evidence[2].Where));
        Assert.Equal("""{"SerialNumber":["text:7"]}""", Form(control.Evidence[2].Keep));

        static string Form(AuditCli.Evidence.RowFilter? filter) => System.Text.Encoding.UTF8.GetString(CanonicalJson.Encode(filter!.Canonical()));
    }
}
