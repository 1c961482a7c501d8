using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Tests whom a register of approvals may name as approver, and what counts as a reason in it.</summary>
public sealed class WaiverNamesTests
{
    private const string Preparer = "M. Okafor";
    private static readonly Control Control = Some.Control() with { Evidence = [Some.Users, Some.Approvals], Waivers = Some.Waivers };

    private static async Task<Some.Outcome> WithAsync(params (string By, string Reason)[] approvals) => await Some.EvaluateAsync(
        Control, Preparer, Some.Partition(
            "prod",
            ("users", Some.Table(Some.Users, [.. approvals.Select((_, n) => $$"""{"name":"u{{n}}","mfa":false}""")])),
            ("approvals", Some.Table(Some.Approvals, [.. approvals.Select((a, n) => Some.Approval($"u{n}", by: a.By, reason: a.Reason))]))));

    private static readonly string[] NoNames =
    [
        "tbd.", "T.B.D.", "TBA", "N_A", "n\\a", "\uFF2E\uFF0F\uFF21", "#N/A", "(blank)", "<name>", "-n/a-", "n/a (pending)", "TBD TBD", "pending",
        "not applicable",
        "to be determined", "null", "x", "xxx", "no one", "k.A.", "see ticket", "1", "0", "yes", "A", "the preparer", "the reviewer", "myself", "me", "self",
        "M. Okafo\u0433", "O\u03BAafor", "\u041Ekafor", "\uD835\uDC0C. Okafor", "\u24C2. Okafor", "M. \u24DEkafor", "M. \u1D52kafor", "O\uFB00icer",
        "\u029Findqvist",
        "L\u0269ndqvist", "Ok\u0251for", "M. \u1D0Fkafor", "M. \u0585kafor", "M. \uA4F3kafor", "\u13DEindqvist", "R. \u0000Reviewer", "R. Reviewer\u0000",
    ];

    public static TheoryData<string> Nobody => [.. NoNames];

    [Theory]
    [MemberData(nameof(Nobody))]
    public async Task A_text_that_is_no_name_of_a_person_approves_nothing(string by)
    {
        var outcome = await WithAsync((by, "break glass"));
        Assert.Equal(Conclusion.Fail, outcome.Conclusion);
        Assert.Equal("it names no approver", Assert.Single(outcome.Result.Waivers.Expired).Why);
    }

    [Theory]
    [InlineData("none given")]
    [InlineData("no reason")]
    [InlineData("#N/A")]
    [InlineData("ok")]
    [InlineData("n/a (pending)")]
    [InlineData("1")]
    [InlineData("\u3164")]
    [InlineData("see ticket")]
    [InlineData("\u0000")]
    public async Task A_reason_that_says_nothing_is_none(string reason) =>
        Assert.Equal("it gives no reason", Assert.Single((await WithAsync(("R. Reviewer", reason))).Result.Waivers.Expired).Why);

    [Theory]
    [InlineData("M. Ok\u00E1for")]
    [InlineData("M. Oka\u0301for")]
    [InlineData("M. Oka\u3164for")]
    [InlineData("M. \u115FOkafor")]
    [InlineData("M. Oka\uFFA0for")]
    [InlineData("M. Oka\u200Afor")]
    [InlineData("M. 0kafor")]
    [InlineData("MOkafor")]
    [InlineData("Okafor")]
    [InlineData("Mary Okafor")]
    [InlineData("Okafor\n(preparer)")]
    public async Task An_approval_by_another_spelling_of_the_preparer_does_not_count(string by)
    {
        var outcome = await WithAsync((by, "break glass"), ("R. Okafor", "break glass"));
        Assert.Equal("the preparer of the engagement approved it", Assert.Single(outcome.Result.Waivers.Expired).Why);
        Assert.Equal(1, outcome.Result.Approved);
    }

    [Theory]
    [InlineData("Bo Li")]
    [InlineData("Ng")]
    [InlineData("X. Na")]
    [InlineData("O. Ok")]
    [InlineData("R. Reviewer\r\nCISO")]
    [InlineData("R. 'Bobby' Tables\"; DROP TABLE users")]
    public async Task A_person_approves_whatever_the_name_resembles(string by) =>
        Assert.Equal(Conclusion.Pass, (await WithAsync((by, "break glass"))).Conclusion);

    /// <summary>The engine tells texts apart as they are, so a text gets its own answer beside others that are nearly the same.</summary>
    [Fact]
    public async Task A_register_and_the_code_agree_on_every_text()
    {
        string[] texts =
        [
            .. NoNames,
            "R. Reviewer", "R. Reviewer\u0000x", "r. reviewer", "Ng", "na", "Okafor", "okafor", "ok", "none given", "break glass", "12",
            "\u9000\u8077", "O'Neil", "a\tb", "\u200B",
            "R. Reviewer\u200B", "{}", "%", "_", "\\",
        ];
        var outcome = await WithAsync([.. texts.Select(t => (t, "break glass")), .. texts.Select(t => ("R. Reviewer", t))]);
        var listed = outcome.Result.Waivers.Expired.ToDictionary(w => w.Item!, w => w.Why);
        foreach (var (n, text) in texts.Index())
        {
            var by = PersonName.WhyNot(text.Replace('\t', ' ')) is not null ? "it names no approver"
                : PersonName.MayBe(text, Preparer) ? "the preparer of the engagement approved it"
                : null;
            Assert.True(by == listed.GetValueOrDefault($"u{n}"), $"{PrintableText.Of(text)}: {by}, and the register says {listed.GetValueOrDefault($"u{n}")}");
            var reason = Filler.GivesNoReason(text) ? "it gives no reason" : null;
            var other = listed.GetValueOrDefault($"u{texts.Length + n}");
            Assert.True(reason == other, $"{PrintableText.Of(text)}: {reason}, and the register says {other}");
        }
    }
}
