using AuditCli.Controls.Loading;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Loading;

/// <summary>Tests whom an engagement may name, and what counts as a reason in it.</summary>
public sealed class EngagementPeopleTests
{
    [Theory]
    [InlineData("preparer: A. Preparer", "preparer: n/a", "7:11: 'preparer' is 'n/a', which names nobody; name a person")]
    [InlineData("preparer: A. Preparer", "preparer: TBD", "7:11: 'preparer' is 'TBD', which names nobody; name a person")]
    [InlineData("preparer: A. Preparer", "preparer: '-'", "7:11: 'preparer' is '-', which has no letter; name a person")]
    [InlineData("preparer: A. Preparer", "preparer: P", "7:11: 'preparer' is 'P', which names nobody; name a person")]
    [InlineData("reviewer: R. Reviewer", "reviewer: the reviewer", "8:11: 'reviewer' is 'the reviewer', which names nobody; name a person")]
    [InlineData("reviewer: R. Reviewer", "reviewer: 'N/A (pending)'", "8:11: 'reviewer' is 'N/A (pending)', which names nobody; name a person")]
    [InlineData(
        "reviewer: R. Reviewer", "reviewer: R. Revi\u0435wer", "8:11: 'reviewer' is 'R. Revi\u0435wer', which mixes Latin and Cyrillic letters; name a person")]
    [InlineData("reviewer: R. Reviewer", "reviewer: Preparer A", "8:11: 'Preparer A' is the preparer; somebody else must review")]
    [InlineData("reviewer: R. Reviewer", "reviewer: Anna Preparer", "8:11: 'Anna Preparer' is the preparer; somebody else must review")]
    [InlineData("reviewer: R. Reviewer", "reviewer: A. Pr\u00E9parer", "8:11: 'A. Pr\u00E9parer' is the preparer; somebody else must review")]
    [InlineData("reviewer: R. Reviewer", "reviewer: A. Prepa\u200Arer", "8:11: 'A. Prepa\u200Arer' is the preparer; somebody else must review")]
    [InlineData(
        "reviewer: R. Reviewer", "reviewer: R. Reviewer\nteam: [{ name: Rita Reviewer, role: respondent }]",
        "9:8: 'Rita Reviewer' is the reviewer, who neither prepares nor answers")]
    [InlineData(
        "reviewer: R. Reviewer", "reviewer: R. Reviewer\nteam: [{ name: TBD, role: respondent }]",
        "9:16: 'name' is 'TBD', which names nobody; name a person")]
    [InlineData("by: R. Reviewer, why", "by: none, why", "13:63: 'by' is 'none', which names nobody; name a person")]
    [InlineData("why: Client standard", "why: 'N.A.'", "13:81: 'why' is 'N.A.', which says nothing; give the reason")]
    public void A_name_or_reason_that_is_none_is_a_fault(string right, string wrong, string fault)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(right, Samples.Engagement, StringComparison.Ordinal);
        var (engagement, found) = Samples.Load(folder.WithFolders(Samples.Engagement.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.Null(engagement);
        Assert.Equal([fault], found);
    }

    [Theory]
    [InlineData("reviewer: R. Reviewer", "reviewer: Nobody yet, name who reviews")]
    [InlineData("reviewer: R. Reviewer", "reviewer: nobody, which a first look does not need and a workpaper does")]
    [InlineData("reviewer: R. Reviewer", "reviewer: Bo Li")]
    [InlineData("reviewer: R. Reviewer", "reviewer: B. Preparer")]
    public void What_the_tool_writes_where_nobody_was_named_and_real_names_are_read(string right, string other)
    {
        using var folder = new TemporaryFolder();
        Assert.Empty(Samples.Load(folder.WithFolders(Samples.Engagement.Replace(right, other, StringComparison.Ordinal))).Faults);
    }

    /// <summary>An earlier version sealed it, and the bundle must stay readable.</summary>
    [Fact]
    public void A_bundle_with_a_name_that_is_refused_today_is_still_read()
    {
        var sealedText = Samples.Engagement.Replace("reviewer: R. Reviewer", "reviewer: n/a", StringComparison.Ordinal);
        var (engagement, faults) = EngagementLoader.OfBundle(System.Text.Encoding.UTF8.GetBytes(sealedText), _ => true, TestSources.All, []);
        Assert.Empty(faults);
        Assert.Equal("n/a", engagement!.Reviewer);
    }
}
