using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Checks that each control's results by partition are the ones that <c>results.json</c> names and adds up, so that no command prints totals
/// that another file of the bundle contradicts. One control is read at a time.
/// </summary>
internal static class PartitionsCheck
{
    /// <summary>Returns the path of a control's results by partition.</summary>
    /// <exception cref="InvalidDataException">The id cannot be that of a control.</exception>
    public static string PathOf(string control)
    {
        try
        {
            return BundleLayout.Partitions(control);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"results.json names a control '{PrintableText.Of(control)}', which has no file", e);
        }
    }

    /// <summary>Returns the first contradiction between results.json and the files of results by partition; null if there is none.</summary>
    /// <exception cref="InvalidDataException">A file is not the one that was sealed, is missing, or has a line that is not a result.</exception>
    public static string? WhyNot(OpenedBundle bundle)
    {
        if (bundle.Results.Schema == 1)
            return null;
        var controls = bundle.Results.Controls;
        if (controls.Select(c => WhyNot(bundle, c)).FirstOrDefault(w => w is not null) is { } wrong)
            return wrong;
        var named = controls.Where(c => c.Partitions is not null).Select(c => PathOf(c.Id)).ToHashSet(StringComparer.Ordinal);
        return bundle.Files.Below(BundleLayout.ResultsFolder).Where(p => p.StartsWith(BundleLayout.ResultsFolder, StringComparison.Ordinal))
            .FirstOrDefault(p => p.EndsWith(BundleLayout.PartitionsEnding, StringComparison.Ordinal) && !named.Contains(p)) is { } other
            ? $"it does not name {other}"
            : null;
    }

    private static string? WhyNot(OpenedBundle bundle, ControlResult control)
    {
        if (control.Partitions is not { } file)
            return control.Tests.IsEmpty ? null : $"{control.Id} has totals of tests, but no file of results by partition";
        var path = PathOf(control.Id);
        if (!bundle.Files.Has(path))
            return $"{path} is not in the bundle, although results.json gives its digest";
        if (bundle.Files.DigestOf(path) is var digest && digest != file.Sha256)
            return $"{path} is not the file that was evaluated: its sha256 is {digest.Hex[..16]}, and results.json says {file.Sha256.Hex[..16]}";
        var lines = 0L;
        string? misplaced = null;
        IEnumerable<TestResult> Counted()
        {
            TestResult? before = null;
            foreach (var part in bundle.Partitions(control))
            {
                lines++;
                if (before is not null && Compare(control, before, part) >= 0)
                    misplaced ??= $"{path}:{lines}: {part.Id} in {Place(part)} is out of order, or has two results";
                yield return before = part;
            }
        }
        var totals = TestTotals.Of(Counted());
        return misplaced
            ?? (lines != file.Lines ? $"{path} has another number of lines than results.json says"
            : control.Tests.FirstOrDefault(t => !totals.Contains(t)) is { } wrong ? $"{path} adds up to other totals of {control.Id} {wrong.Id}"
            : totals.Length != control.Tests.Length ? $"{path} has results of tests for which results.json has no totals"
            : null);
    }

    /// <summary>Compares the places of two lines: by target, then account, then the order of the control's tests.</summary>
    private static int Compare(ControlResult control, TestResult a, TestResult b) =>
        string.CompareOrdinal(a.Partition.Target, b.Partition.Target) is not 0 and var target ? target
        : string.CompareOrdinal(a.Partition.Account, b.Partition.Account) is not 0 and var account ? account
        : Order(control, a).CompareTo(Order(control, b));

    private static int Order(ControlResult control, TestResult part)
    {
        for (var at = 0; at < control.Tests.Length; at++)
        {
            if (control.Tests[at].Id == part.Id)
                return at;
        }
        return control.Tests.Length;
    }

    private static string Place(TestResult part) => PrintableText.Of($"{part.Partition.Target} {part.Partition.Account}");
}
