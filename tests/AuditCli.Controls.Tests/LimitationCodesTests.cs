using AuditCli.Tests;

namespace AuditCli.Controls.Tests;

/// <summary>Checks that each limitation code of evaluation is defined once, explained in the manual, and used.</summary>
public sealed class LimitationCodesTests
{
    [Fact]
    public void Every_constant_is_named_like_its_code_and_has_one_row_in_the_table()
    {
        var constants = OwnCodes.Constants(typeof(LimitationCodes)).ToArray();
        Assert.All(constants, c => Assert.Equal(c.Name, c.Code));
        Assert.Equal(constants.Select(c => c.Code).Order(StringComparer.Ordinal), LimitationCodes.All.Select(c => c.Code));
    }

    [Fact]
    public void Every_code_is_given_or_compared_somewhere() =>
        Assert.Empty(OwnCodes.Unused(typeof(LimitationCodes), OwnCodes.Constants(typeof(LimitationCodes)).Select(c => c.Name)));

    [Fact]
    public void The_manual_has_the_table() => OwnCodes.AreInManual("When the evidence is evaluated", LimitationCodes.All);
}
