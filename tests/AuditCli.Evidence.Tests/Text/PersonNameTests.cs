using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tests.Text;

/// <summary>Tests how the names of people are compared.</summary>
public sealed class PersonNameTests
{
    [Theory]
    [InlineData("M. Okafo\u0433", "mixes Latin and Cyrillic letters")]
    [InlineData("O\u03BAafor", "mixes Latin and Greek letters")]
    [InlineData("\u041Ekafor", "mixes Cyrillic and Latin letters")]
    [InlineData("\u041C. Okafor", "mixes Cyrillic and Latin letters")]
    [InlineData("\u0585kafor", "mixes Armenian and Latin letters")]
    [InlineData("\u13DEewis", "mixes Cherokee and Latin letters")]
    [InlineData("\u15F0. Okafor", "mixes other and Latin letters")]
    [InlineData("M. \u53E3kafor", "mixes East Asian and Latin letters")]
    [InlineData("\uD835\uDC0C. Okafor", "has letters of a special form")]
    [InlineData("\u24C2. Okafor", "has letters of a special form")]
    [InlineData("M. \u24DEkafor", "has letters of a special form")]
    [InlineData("M. \u1D52kafor", "has letters of a special form")]
    [InlineData("M. \u1D0Fkafor", "has letters of a special form")]
    [InlineData("Sti\uFB00", "has letters of a special form")]
    [InlineData("\u029Findqvist", "has letters of a special form")]
    [InlineData("L\u0269ndqvist", "has letters of a special form")]
    [InlineData("L\u0196ndqvist", "has letters of a special form")]
    [InlineData("Ok\u0251for", "has letters of a special form")]
    [InlineData("\uA4F3kafor", "has letters of a special form")]
    [InlineData("\u2133. Okafor", "has letters of a special form")]
    [InlineData("M. Okafor\u0000", "has a control character")]
    [InlineData("12345", "has no letter")]
    [InlineData("\u3164\u3164", "has no letter")]
    [InlineData("Q", "names nobody")]
    [InlineData("E1", "names nobody")]
    [InlineData("the preparer", "names nobody")]
    public void A_text_that_is_no_name_is_refused_with_the_reason(string text, string why) => Assert.Equal(why, PersonName.WhyNot(text));

    public static TheoryData<string> Okafor =>
    [
        "M. Okafor", "m okafor", "M.Okafor", "MOkafor", "mokafor", "Okafor, M.", "OKAFOR M", "okaform", "Okafor", "okafor", "Mary Okafor", "Mary Jane Okafor",
        "Okafor, Mary", "Okafor Mary", "M. J. Okafor", "MaryOkafor", "Mr Okafor", "Mrs. M. Okafor", "M. Okafor (preparer)", "Okafor (preparer)",
        "M. Okafor / H. Castellanos", "H. Castellanos and Mary Okafor", "H. Castellanos; Okafor", "m.okafor@northquay.example",
        "mokafor@northquay.example", "M. O.",
        "MO", "Mary O.", "M. 0kafor", "M. Okaf0r", "m0kaf0r", "M. Ok\u00E1for", "M. Oka\u0301for", "M. \u00D3kafor", "M. \u00D8kafor", "\uFF2D. \uFF2Fkafor",
        "M.\u00A0Okafor", "M. Oka\u200Bfor", "M. Oka\u3164for", "M. \u115FOkafor", "M. Oka\uFFA0for", "M. Oka\u200Afor", "Oka\u2009for",
        "M. Oka for", "M. O'kafor",
        "M. Okafor-Smith", "M. \u2018Okafor\u2019", "M. \u00BAkafor",
    ];

    [Theory]
    [MemberData(nameof(Okafor))]
    public void A_person_is_found_however_the_name_is_written(string text)
    {
        Assert.True(PersonName.MayBe(text, "M. Okafor"), text);
        Assert.True(PersonName.MayBe("M. Okafor", text), text);
    }

    [Theory]
    [InlineData("L1ndqvist", "S. Lindqvist")]
    [InlineData("S. Lindqv1st", "S. Lindqvist")]
    [InlineData("B. Mi11er", "B. Miller")]
    [InlineData("M. Okafor", "Mary Okafor")]
    [InlineData("Mary", "Mary Okafor")]
    [InlineData("Mary Okafor", "Mary Jane Okafor")]
    [InlineData("J. Mueller-\u00C5s", "J. Mueller-As")]
    [InlineData("OBrien", "M. O\u2019Brien")]
    [InlineData("Bo Li", "B. Li")]
    [InlineData("mokafor", "M. Okafor")]
    [InlineData("\u041C. \u041E\u043A\u0430\u0444\u043E\u0440", "\u043C \u043E\u043A\u0430\u0444\u043E\u0440")]
    [InlineData("\u674E\u660E", "\u674E \u660E")]
    public void Two_ways_to_write_a_name_may_be_the_same_person(string one, string other)
    {
        Assert.True(PersonName.MayBe(one, other), one);
        Assert.True(PersonName.MayBe(other, one), one);
    }

    [Theory]
    [InlineData("R. Okafor")]
    [InlineData("R. Okafor (CISO)")]
    [InlineData("R. Okafor, manager")]
    [InlineData("Okafor, R., manager")]
    [InlineData("Dr. med. R. Okafor")]
    [InlineData("Mary Chen / R. Okafor")]
    [InlineData("R. Okafor-Manning")]
    [InlineData("O. Miller")]
    [InlineData("Michael O. Stone")]
    [InlineData("M. Okafors")]
    [InlineData("M. Oka")]
    [InlineData("Mary Chen")]
    [InlineData("Mary")]
    [InlineData("Ng")]
    [InlineData("S. Lindqvist")]
    [InlineData("C. Officer")]
    [InlineData("")]
    [InlineData("-")]
    public void Another_person_is_not_taken_for_the_first(string text)
    {
        Assert.False(PersonName.MayBe(text, "M. Okafor"), text);
        Assert.False(PersonName.MayBe("M. Okafor", text), text);
    }

    [Theory]
    [InlineData("P. Preparer", "R. Reviewer")]
    [InlineData("Aurelli", "A. Li")]
    [InlineData("M. Chen", "Michael Stone")]
    [InlineData("Rosemary Okafor", "Mary Okafor")]
    [InlineData("Michael Okafor", "Mary Okafor")]
    public void Names_that_only_resemble_each_other_are_of_two_people(string one, string other)
    {
        Assert.False(PersonName.MayBe(one, other), one);
        Assert.False(PersonName.MayBe(other, one), one);
    }

    [Theory]
    [InlineData("Okafor")]
    [InlineData("Mary Okafor")]
    [InlineData("MOkafor")]
    [InlineData("M. 0kafor")]
    public void Whoever_must_be_a_certain_person_needs_the_same_words(string text) => Assert.False(PersonName.IsSame(text, "M. Okafor"));
}
