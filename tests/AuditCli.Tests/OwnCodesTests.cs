using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Tests;

/// <summary>Compares the codes of collecting with those of evaluating, since neither project references the other.</summary>
public sealed class OwnCodesTests
{
    [Fact]
    public void No_code_means_one_thing_while_collecting_and_another_while_evaluating() =>
        Assert.Empty(Codes.All.Select(c => c.Shown).Intersect(LimitationCodes.All.Select(c => c.Shown), StringComparer.Ordinal));

    [Fact]
    public void Every_kind_is_used_and_explained_in_the_manual() => Assert.All(
        Enum.GetValues<CodeKind>(),
        kind =>
        {
            Assert.Contains(Codes.All.Concat(LimitationCodes.All), c => c.Kind == kind);
            Assert.Contains($"\n| {kind.ToString().ToLowerInvariant()} | ", AuditCli.Commands.HelpCommand.Page("codes"), StringComparison.Ordinal);
        });

    /// <summary>
    /// Checks that each rule names a code that some collector reports. Otherwise the rule would never excuse the difference for which it
    /// was added.
    /// </summary>
    [Fact]
    public void The_codes_that_rules_of_evaluation_name_exist()
    {
        var known = OwnCodes.Examples([.. Codes.All, .. LimitationCodes.All]);
        var named = EvaluationRules.All.SelectMany(r => r.OnlyWith).Where(s => char.IsAsciiLetterUpper(s[0])).ToArray();
        Assert.Contains(Misfit.Code, named);
        Assert.All(named, code => Assert.Contains(code, known));
    }
}
