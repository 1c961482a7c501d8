using System.Collections.Immutable;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Checks the list of what was not tested against the engagement, the record and the results. Which controls a library had besides those that ran is
/// not in a bundle: of a control that the engagement selects by a pattern, and that is not in the list, nothing can be said.
/// </summary>
internal static class NotTestedCheck
{
    /// <summary>Returns the first contradiction; null if there is none.</summary>
    public static string? WhyNot(OpenedBundle bundle, SealedScope scope)
    {
        var listed = bundle.Results.NotTested;
        var targets = scope.Engagement.Targets.Select(t => t.Name).ToImmutableHashSet(StringComparer.Ordinal);
        var entered = bundle.Record.TargetNames.ToImmutableHashSet(StringComparer.Ordinal);
        var results = bundle.Results.Controls.Select(c => c.Id).ToImmutableHashSet(StringComparer.Ordinal);
        var unread = bundle.Record.Targets.Where(t => t.NotRead is not null).Select(t => new NotTested(t.Name, t.NotRead!)).ToList();
        foreach (var entry in listed)
        {
            var why = targets.Contains(entry.Id)
                ? entry.Reason == NotTestedReasons.TargetLeftOut ? entered.Contains(entry.Id) ? "run.json says that the target was entered" : null
                    : unread.Remove(entry) ? null : "run.json does not say so"
                : !IdGlob.IsId(entry.Id) ? "it is neither a target of the engagement nor a control"
                : results.Contains(entry.Id) ? "it has a result"
                : listed.Count(n => n.Id == entry.Id) > 1 ? "the control is listed several times"
                : NotTestedReasons.WhyNot(scope.Engagement, entry.Id, entry.Reason, entered.Contains);
            if (why is not null)
                return $"it lists {PrintableText.Of(entry.Id)} as not tested ({PrintableText.Of(entry.Reason, 200)}), but {why}";
        }
        var ids = listed.Select(n => n.Id).ToImmutableHashSet(StringComparer.Ordinal);
        if (unread.FirstOrDefault() is { } missing)
            return Unlisted(missing.Id, $"run.json says: {missing.Reason}");
        if (scope.TargetsLeftOut.FirstOrDefault(t => !listed.Contains(new(t, NotTestedReasons.TargetLeftOut))) is { } target)
            return Unlisted(target, "its controls read that target, and run.json does not say that it was entered");
        return scope.Engagement.Include.Where(i => !IdGlob.IsGlob(i)).Concat(scope.Engagement.NotApplicable.Select(n => n.Control))
            .FirstOrDefault(id => !results.Contains(id) && !ids.Contains(id)) is { } control
                ? Unlisted(control, "the engagement names the control, and it has no result")
                : null;
    }

    private static string Unlisted(string id, string but) => $"it does not list {PrintableText.Of(id)} as not tested, but {PrintableText.Of(but, 400)}";
}
