using System.Diagnostics;
using System.Text;
using AuditCli.Controls.Loading;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Yaml;

/// <summary>
/// Tests the form of parameters: what an author can declare, and that a value outside it never reaches a test, whoever supplied it. In
/// invalid texts, <c>»</c> marks the place that the fault must name.
/// </summary>
public sealed class ParameterFormTests
{
    private const string Ports = "type: text, default: '22', list: { of: integer, min: 1, max: 65535 }";
    private const string PortsAre = "a list of integers from 1 to 65535, separated by commas";
    private const string Regions = "type: text, default: all, list: { pattern: '[a-z]+(-[a-z]+)+-[0-9]+', or: [all] }";
    private const string RegionsAre = "a list of texts that match [a-z]+(-[a-z]+)+-[0-9]+ from beginning to end, separated by commas, or all alone";
    private const string Days = "type: integer, default: 90, min: 1, max: 365";

    [Theory]
    // min and max
    [InlineData("type: integer, default: 1, min: »a, max: 9", "'min' must be an integer such as 90, without quotes, but is 'a'")]
    [InlineData("type: integer, default: 1, min: »[1]", "'min' must be one value, but is a list")]
    [InlineData("type: integer, default: 1, max: »", "'max' must be one value, but is empty")]
    [InlineData("type: integer, default: 1, max: »'9'", "'max' must be an integer such as 90, without quotes, but is the text '9'")]
    [InlineData("type: integer, default: 5, min: 9, max: »1", "'max' is 1, which is less than 'min' (9), so that no value is allowed")]
    [InlineData("type: decimal, default: 1.5, min: 0.20, max: »0.1", "'max' is 0.1, which is less than 'min' (0.20), so that no value is allowed")]
    [InlineData("type: date, default: 2026-01-01, min: »2026-02-30", "'min' must be a date such as 2026-09-30, but is '2026-02-30'")]
    [InlineData("type: text, default: a, min: »1", "'min' applies to integers, decimals, dates and timestamps, but this is text")]
    [InlineData("type: boolean, default: true, max: »1", "'max' applies to integers, decimals, dates and timestamps, but this is boolean")]
    [InlineData(
        "type: text, default: '1', min: »1, list: { of: integer }",
        "'min' applies to integers, decimals, dates and timestamps, but this is text; for a list it belongs inside 'list', because it applies to the entries")]
    // one_of
    [InlineData("type: text, default: a, one_of: »[]", "'one_of' must have at least one item")]
    [InlineData("type: text, default: a, one_of: [a, »{}]", "an item of 'one_of' must be text, but is a map")]
    [InlineData("type: text, default: a, one_of: »[a, b, a]", "'a' is in 'one_of' twice")]
    [InlineData("type: integer, default: 1, one_of: »['1']", "'one_of' applies only to text, but this is integer")]
    [InlineData("type: text, default: a, one_of: »[a], list: {}", "'one_of' of a list applies to its entries; put it inside 'list'")]
    // pattern
    [InlineData("type: text, default: a, pattern: »'a('", "'pattern' is not a regular expression: Invalid pattern 'a(' at offset 2. Not enough )'s.")]
    [InlineData("type: text, default: a, pattern: »'a)|(b'", "'pattern' is not a regular expression: Invalid pattern 'a)|(b' at offset 2. Too many )'s.")]
    [InlineData(
        "type: text, default: a, pattern: »'(?=a)a'",
        "'pattern' uses lookahead, lookbehind, a backreference or an atomic or conditional group, which could take forever; write it without these")]
    [InlineData(
        "type: text, default: aa, pattern: »'(?<x>a)\\k<x>'",
        "'pattern' uses lookahead, lookbehind, a backreference or an atomic or conditional group, which could take forever; write it without these")]
    [InlineData(
        "type: text, default: a, pattern: »'((a{1,100}){1,100}){1,100}'",
        "'pattern' expands to 1000000 characters with its counts written out; at most 2000 are allowed, so use lower counts")]
    [InlineData(
        "type: text, default: a, pattern: »'[^]a-z{9}]{1,1000}\\p{L}{1001}'",
        "'pattern' expands to 2001 characters with its counts written out; at most 2000 are allowed, so use lower counts")]
    [InlineData("type: text, default: a, pattern: »' '", "'pattern' is empty")]
    [InlineData("type: date, default: 2026-01-01, pattern: »a", "'pattern' applies only to text, but this is date")]
    [InlineData("type: text, default: a, pattern: »a, list: { pattern: a }", "'pattern' of a list applies to its entries; put it inside 'list'")]
    // list
    [InlineData("type: text, default: a, list: »true", "'list' must be a map, but is a boolean")]
    [InlineData("type: integer, default: 1, list: »{}", "'list' applies only to text, but this is integer")]
    [InlineData("type: text, default: a, list: { of: »boolean }", "'of' must be one of text, integer, whole, decimal, decimal(18), date, timestamp, "
        + "but is 'boolean'")]
    [InlineData("type: text, default: a, list: { »off: text }", "unknown key 'off'; did you mean 'of'?")]
    [InlineData("type: text, default: a, list: { min: »1 }", "'min' applies to integers, decimals, dates and timestamps, but this is text")]
    [InlineData("type: text, default: '1', list: { of: integer, pattern: »a }", "'pattern' applies only to text, but this is integer")]
    [InlineData(
        "type: text, default: a, list: { one_of: »[a, 'b,c'] }",
        "'b,c' cannot be an entry: entries are separated by commas and have no blanks around them")]
    [InlineData(
        "type: text, default: a, list: { one_of: »[a, ' b'] }",
        "' b' cannot be an entry: entries are separated by commas and have no blanks around them")]
    [InlineData("type: text, default: a, list: { or: »[] }", "'or' must have at least one item")]
    [InlineData("type: text, default: a, list: { or: »[all, all] }", "'all' is in 'or' twice")]
    [InlineData("type: text, default: a, list: { empty: »yes }", "'empty' must be true or false, but is 'yes'")]
    // the default
    [InlineData("type: integer, default: »0, min: 1, max: 9", "'default' must be an integer from 1 to 9, but is '0'")]
    [InlineData("type: integer, default: »10, max: 9", "'default' must be an integer of at most 9, but is '10'")]
    [InlineData("type: decimal, default: »0.099999999, min: 0.1", "'default' must be a decimal of at least 0.1, but is '0.099999999'")]
    [InlineData("type: date, default: »2025-12-31, min: 2026-01-01", "'default' must be a date not before 2026-01-01, but is '2025-12-31'")]
    [InlineData(
        "type: timestamp, default: »2026-01-01T01:30:00+01:00, min: 2026-01-01T00:45:00Z",
        "'default' must be a time not before 2026-01-01T00:45:00Z, but is '2026-01-01T01:30:00+01:00'")]
    [InlineData(
        "type: timestamp, default: »2026-01-02T00:00:00Z, max: 2026-01-01T00:00:00Z",
        "'default' must be a time not after 2026-01-01T00:00:00Z, but is '2026-01-02T00:00:00Z'")]
    [InlineData("type: text, default: »hgih, one_of: [low, high]", "'default' must be one of low, high, but is 'hgih': did you mean 'high'?")]
    [InlineData("type: text, default: »ab, pattern: a|b", "'default' must be text that matches a|b from beginning to end, but is 'ab'")]
    [InlineData("type: text, default: »c, one_of: [b, c], pattern: a|b", "'default' must be one of b, c that matches a|b from beginning to end, but is 'c'")]
    [InlineData("type: text, default: »'', pattern: a", "'default' must be text that matches a from beginning to end, but is empty")]
    [InlineData("type: text, default: »'', list: {}", "'default' must be a list of texts, separated by commas, but is empty")]
    // exact numbers
    [InlineData("type: »decimal(39), default: 1", "'type' is 'decimal(39)', but a decimal has 38 digits in all, from 0 to 38 of them after the point: "
        + "write decimal(18), or 'whole' for a whole number of more digits")]
    [InlineData("type: »wholes, default: 1", "'type' must be one of text, integer, whole, decimal, decimal(18), boolean, date, timestamp, but is 'wholes'; "
        + "did you mean 'whole'?")]
    [InlineData("type: whole, default: »1.5", "'default' must be a whole number of at most 10000 digits, but is '1.5'")]
    [InlineData("type: whole, default: »1e18", "'default' must be a whole number of at most 10000 digits, but is '1e18'")]
    [InlineData("type: decimal(18), default: »'0.1234567890123456789'", "'default' must be a decimal number of at most 20 digits before the point and 18 after "
        + "it, but is the text '0.1234567890123456789'")]
    [InlineData("type: decimal(2), default: »1234567890123456789012345678901234567.5", "'default' must be a decimal number of at most 36 digits before the "
        + "point and 2 after it, but is '1234567890123456789012345678901234567.5'")]
    [InlineData("type: whole, default: »'9007199254740993', max: 9007199254740992", "'default' must be a whole number of at most 9007199254740992, but is "
        + "the text '9007199254740993'")]
    [InlineData("type: decimal(18), default: 1, min: '0.000000000000000002', max: »'0.000000000000000001'", "'max' is 0.000000000000000001, which is less "
        + "than 'min' (0.000000000000000002), so that no value is allowed")]
    [InlineData("type: whole, default: 1, pattern: »a", "'pattern' applies only to text, but this is whole")]
    [InlineData("type: text, default: »'1,9007199254740993,x', list: { of: whole }", "'default' must be a list of whole numbers, separated by commas, but is "
        + "the text '1,9007199254740993,x': the entry 'x' is not one")]
    [InlineData("type: text, default: »'1.5,1.50', list: { of: decimal(18) }", "'default' must be a list of numbers of type decimal(18), separated by commas, "
        + "but is the text '1.5,1.50': the entry '1.50' occurs twice")]
    public void A_fault_in_the_form_is_named_with_its_place(string keys, string fault) =>
        Assert.Equal([At($"n: {{ {keys}", 15, fault)], Samples.FaultsOf(Control(keys.Replace("»", "", StringComparison.Ordinal))));

    public static TheoryData<string, string, string, string> Refused => new()
    {
        { Ports, "'99999'", PortsAre, ": the entry '99999' is not one" },
        { Ports, "'-1'", PortsAre, ": the entry '-1' is not one" },
        { Ports, "'0'", PortsAre, ": the entry '0' is not one" },
        { Ports, "''", PortsAre, "" },
        { Ports, "'22,,80'", PortsAre, ": entry 2 is empty" },
        { Ports, "'22,'", PortsAre, ": entry 2 is empty" },
        { Ports, "','", PortsAre, ": entry 1 is empty" },
        { Ports, "'22,x'", PortsAre, ": the entry 'x' is not one" },
        { Ports, "'22, 80'", PortsAre, ": the entry '80' has blanks around it" },
        { Ports, "' 22'", PortsAre, ": the entry '22' has blanks around it" },
        { Ports, "'22;80'", PortsAre, ": the entry '22;80' is not one" },
        { Ports, "'22,022'", PortsAre, ": the entry '022' is not one" },
        { Ports, "'0x16'", PortsAre, ": the entry '0x16' is not one" },
        { Ports, "'22.0'", PortsAre, ": the entry '22.0' is not one" },
        { Ports, "'80,22,80'", PortsAre, ": the entry '80' occurs twice" },
        { Ports, "'9223372036854775808'", PortsAre, ": the entry '9223372036854775808' is not one" },
        { Regions, "eu-west1", RegionsAre, ": the entry 'eu-west1' is not one" },
        { Regions, "'all,eu-west-1'", RegionsAre, ": the entry 'all' is not one" },
        { Regions, "ALL", RegionsAre, ": the entry 'ALL' is not one" },
        { Regions, "'eu-west-1,eu-west-1'", RegionsAre, ": the entry 'eu-west-1' occurs twice" },
        { Days, "-1", "an integer from 1 to 365", "" },
        { Days, "0", "an integer from 1 to 365", "" },
        { Days, "366", "an integer from 1 to 365", "" },
        {
            "type: text, default: a, list: { one_of: [a, bcd] }",
            "'a,bdc'",
            "a list of words out of a, bcd, separated by commas",
            ": the entry 'bdc' is not one; did you mean 'bcd'?"
        },
        {
            "type: text, default: a, list: { pattern: '[a-z]+', one_of: [a, B], empty: true }",
            "B",
            "a list of words out of a, B that match [a-z]+ from beginning to end, separated by commas; it may be empty",
            ": the entry 'B' is not one"
        },
        {
            "type: text, default: '1', list: { of: decimal, max: 2 }",
            "'1.5,1.50'",
            "a list of decimals of at most 2, separated by commas",
            ": the entry '1.50' occurs twice"
        },
        {
            "type: text, default: 2026-01-01, list: { of: date, min: 2026-01-01 }",
            "'2026-01-02,2025-12-31'",
            "a list of dates not before 2026-01-01, separated by commas",
            ": the entry '2025-12-31' is not one"
        },
        {
            "type: text, default: 2026-01-01T00:00:00Z, list: { of: timestamp }",
            "'2026-01-01T00:00:00Z,2026-01-01T01:00:00+01:00'",
            "a list of times, separated by commas",
            ": the entry '2026-01-01T01:00:00+01:00' occurs twice"
        },
        { "type: text, default: '', pattern: '[^ ]*'", "'oidc: '", "text that matches [^ ]* from beginning to end", "" },
        { "type: text, default: a, pattern: '[a-z]'", "\"a\\n\"", "text that matches [a-z] from beginning to end", "" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void An_engagement_cannot_set_a_value_outside_the_form(string form, string value, string allowed, string why)
    {
        var (_, faults) = EngagementLoader.Check(Engagement(value), [Samples.Loaded(Control(form)).Control]);
        Assert.Equal($"e:7:54: {Message(value, $"parameter 'n' of APD-AWS-001 must be {allowed}", why)}", Assert.Single(faults).ToString());
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_case_of_the_fixtures_cannot_set_a_value_outside_the_form(string form, string value, string allowed, string why)
    {
        var (_, faults) = Fixtures(form, value);
        Assert.Equal($"f:3:22: {Message(value, $"parameter 'n' of APD-AWS-001 must be {allowed}", why)}", Assert.Single(faults).ToString());
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_default_cannot_be_outside_the_form(string form, string value, string allowed, string why)
    {
        var start = form.IndexOf("default: ", StringComparison.Ordinal) + 9;
        var broken = form[..start] + value + form[form.IndexOf(", ", start, StringComparison.Ordinal)..];
        Assert.Equal([$"18:{15 + 5 + start}: {Message(value, $"'default' must be {allowed}", why)}"], Samples.FaultsOf(Control(broken)));
    }

    [Theory]
    [InlineData(Ports, "22")]
    [InlineData(Ports, "'1,65535'")]
    [InlineData(Regions, "all")]
    [InlineData(Regions, "'us-gov-west-1,eu-west-1'")]
    [InlineData(Days, "1")]
    [InlineData(Days, "365")]
    [InlineData("type: decimal, default: 1, min: -0.5, max: 99999999999999999999999999999.999999999", "-0.500000000")]
    [InlineData("type: decimal, default: 1, min: -0.5, max: 99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999")]
    [InlineData("type: date, default: 2026-01-01, min: 2026-01-01, max: 2026-12-31", "2026-12-31")]
    [InlineData("type: timestamp, default: 2026-01-01T00:00:00Z, max: 2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00")]
    [InlineData("type: text, default: a, list: { empty: true }", "''")]
    [InlineData("type: text, default: a, list: {}", "'null,~,true'")]
    [InlineData("type: text, default: a, list: { one_of: [A, a] }", "'a,A'")]
    [InlineData("type: text, default: a, pattern: '(?i)ABC|a'", "abc")]
    [InlineData("type: text, default: a b", "' a, b '")]
    [InlineData("type: text, default: a, pattern: '[]a-z{999}]{1,999}(\\p{L}{2}\\{){0,333}'", "'a]9ab{'")]
    public void A_value_of_the_form_is_taken_as_it_is_written(string form, string value)
    {
        var control = Samples.Loaded(Control(form)).Control;
        var (engagement, faults) = EngagementLoader.Check(Engagement(value), [control]);
        Assert.Empty(faults);
        var written = value.Trim('\'');
        var taken = Assert.Single(engagement.ParameterOverrides).Value;
        Assert.Equal(written, taken.ValueKind == System.Text.Json.JsonValueKind.String ? taken.GetString() : taken.GetRawText());
        Assert.Empty(Fixtures(form, value).Faults);
    }

    [Fact]
    public void A_pattern_that_others_run_away_with_is_matched_in_one_pass()
    {
        var clock = Stopwatch.StartNew();
        var (_, faults) = EngagementLoader.Check(
            Engagement($"'{new string('a', 50_000)}!'"), [Samples.Loaded(Control("type: text, default: a, pattern: '(a+)+'")).Control]);
        Assert.Equal("parameter 'n' of APD-AWS-001 must be text that matches (a+)+ from beginning to end, but is text", Assert.Single(faults).Message);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
    }

    [Fact]
    public void A_bundle_whose_engagement_was_sealed_before_the_form_is_still_read()
    {
        using var folder = new TemporaryFolder();
        folder.Write("data/engagement.yaml", EngagementText("'99999'"));
        var control = Samples.Loaded(Control(Ports)).Control;
        var (engagement, faults) = EngagementLoader.OfBundle(folder.Path, folder.Path + "/exchanges", TestSources.All, [control]);
        Assert.Empty(faults);
        Assert.Equal("99999", Assert.Single(engagement!.ParameterOverrides).Value.GetString());
    }

    [Fact]
    public void A_control_in_a_bundle_is_read_although_its_default_is_outside_the_form()
    {
        var yaml = Control("type: integer, default: 0, min: 1");
        var file = new LibraryFile("apd-aws-001.yaml", Encoding.UTF8.GetBytes(yaml), "x");
        Assert.Empty(ControlReader.Read(file, TestSources.All, inBundle: true).Faults);
        Assert.NotEmpty(Samples.FaultsOf(yaml));
    }

    [Theory]
    [InlineData(
        "type: integer, default: 1",
        "parameter 'n' may be any number at all, and one that is far off can make a test find nothing; give it 'min' and 'max'")]
    [InlineData(
        "type: integer, default: 1, min: 1",
        "parameter 'n' may be any number above 1, and one that is far off can make a test find nothing; give it 'min' and 'max'")]
    [InlineData(
        "type: decimal, default: 1, max: 2.5",
        "parameter 'n' may be any number below 2.5, and one that is far off can make a test find nothing; give it 'min' and 'max'")]
    [InlineData(
        "type: text, default: 'a,b'",
        "parameter 'n' looks like a list, and an entry that means nothing can make a test find nothing; give it the form of its entries with 'list'")]
    [InlineData("type: integer, default: 1, min: 1, max: 2", null)]
    [InlineData("type: text, default: 'a,b', list: {}", null)]
    [InlineData("type: text, default: a", null)]
    [InlineData("type: boolean, default: true", null)]
    public void An_author_is_told_of_a_parameter_whose_form_is_missing(string keys, string? missing) =>
        Assert.Equal(missing, Assert.Single(Samples.Loaded(Control(keys)).Control.Parameters).FormMissing);

    private static string Control(string keys) => Samples.Minimal(parameters: $"parameters: {{ n: {{ {keys}, why: w }} }}");

    private static string EngagementText(string value) => $$"""
        schema: 1
        entity: e
        name: n
        period: { start: 2026-01-01, end: 2026-01-31 }
        preparer: A. Preparer
        reviewer: R. Reviewer
        controls: { parameters: { APD-AWS-001: { n: { value: {{value}}, by: R. Reviewer, why: the policy } } } }
        targets: {}

        """;

    private static Engagement Engagement(string value)
    {
        var (engagement, faults) = EngagementLoader.Parse("e", Encoding.UTF8.GetBytes(EngagementText(value)), TestSources.All);
        Assert.Empty(faults);
        return engagement!;
    }

    private static (FixtureFile? File, IEnumerable<Diagnostic> Faults) Fixtures(string form, string value)
    {
        var (file, faults) = FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes($$"""
            cases:
              - name: n
                parameters: { n: {{value}} }
                partitions: { one: {} }
                expect: { conclusion: PASS }
            """)), Samples.Loaded(Control(form)).Control);
        return (file, faults);
    }

    /// <summary>Returns the message about a value, quoted as it is written; quotes in YAML make it a text.</summary>
    private static string Message(string value, string must, string why)
    {
        var shown = value == "''" ? "empty"
            : value[0] == '"' ? $"the text '{value.Trim('"').Replace("\\n", "\n", StringComparison.Ordinal)}'"
            : value[0] == '\'' ? $"the text {value}"
            : $"'{value}'";
        return $"{must}, but is {shown}{why}";
    }

    /// <summary>Returns the fault on line 18, at the mark in a text that starts at a column.</summary>
    private static string At(string marked, int column, string fault) => $"18:{column + marked.IndexOf('»', StringComparison.Ordinal)}: {fault}";
}
