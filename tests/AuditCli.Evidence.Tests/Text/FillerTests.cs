using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tests.Text;

/// <summary>Tests what is written where a name or a reason is asked and there is none.</summary>
public sealed class FillerTests
{
    private static readonly string[] Nothing =
    [
        "", " ", "-", "?", "???", "\u200B", "\u3164", "n/a", "N.A.", "N_A", "n\\a", "\uFF2E\uFF0F\uFF21", "#N/A", "-n/a-", "n/a (pending)", "N / A", "n/\u00E1",
        "TBD", "tbd.", "T.B.D.", "TBD TBD", "TBD/TBD", "TBA", "T\u200BBD", "(blank)", "pending", "not applicable", "to be determined", "null", "none", "None.",
        "unknown", "x", "X.", "xx", "xxx", "k.A.", "see ticket", "1", "0", "000", "yes", "A", "TODO", "none / n/a",
    ];

    public static TheoryData<string> NamesOfNobody =>
        [.. Nothing, "nobody", "no one", "No-one", "<name>", "the preparer", "The Reviewer", "myself", "me", "self", "Somebody", "N. N."];

    public static TheoryData<string> NoReasons => [.. Nothing, "ok", "OK!", "none given", "no reason", "No reason given.", "##", "\u3164\u3164"];

    [Theory]
    [MemberData(nameof(NamesOfNobody))]
    public void A_filler_names_nobody(string text)
    {
        Assert.True(Filler.NamesNobody(text), text);
        Assert.NotNull(PersonName.WhyNot(text));
    }

    [Theory]
    [MemberData(nameof(NoReasons))]
    public void A_filler_gives_no_reason(string text) => Assert.True(Filler.GivesNoReason(text), text);

    [Theory]
    [InlineData("Bo Li")]
    [InlineData("Ng")]
    [InlineData("X. Na")]
    [InlineData("O. Ok")]
    [InlineData("Na Na")]
    [InlineData("T. Bd")]
    [InlineData("N. Able")]
    [InlineData("J. None-Smith")]
    [InlineData("Anna Blank")]
    [InlineData("CISO")]
    [InlineData("\u674E\u660E")]
    [InlineData("\u674E\u660E (Li Ming)")]
    [InlineData("Ahmed Ali \u0623\u062D\u0645\u062F \u0639\u0644\u064A")]
    [InlineData("\u041C. \u041E\u043A\u0430\u0444\u043E\u0440")]
    [InlineData("Akosua Ky\u025Brem\u025B")]
    [InlineData("Ka\u02BBiulani")]
    [InlineData("\u00D8yvind \u00C5s")]
    [InlineData("M\u00AA Carmen N\u00FA\u00F1ez")]
    [InlineData("Nguy\u1EC5n V\u0103n \u0110\u1EE9c")]
    [InlineData("\u30ED\u30FC\u30DE \u592A\u90CE")]
    [InlineData("\u0930\u093E\u092E \u0936\u0930\u094D\u092E\u093E")]
    public void A_real_name_is_no_filler(string name) => Assert.Null(PersonName.WhyNot(name));

    [Theory]
    [InlineData("break glass")]
    [InlineData("n/a for batch users: they have no password")]
    [InlineData("pending migration, ends in May")]
    [InlineData("the risk is accepted until the ledger is replaced")]
    [InlineData("ticket 7")]
    [InlineData("agreed")]
    [InlineData("12")]
    [InlineData("11")]
    [InlineData("\u9000\u8077")]
    public void A_real_reason_is_no_filler(string reason) => Assert.False(Filler.GivesNoReason(reason), reason);
}
