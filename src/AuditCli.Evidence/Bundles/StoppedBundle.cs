using System.Text;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Checks a <c>.partial</c> folder of a run that had collected everything but could not seal it
/// (<see cref="BundleWriter.LeaveAsync"/>).
/// </summary>
public static class StoppedBundle
{
    private const long LongestManifest = 1L << 30;

    /// <summary>
    /// Returns why a folder is not such a folder, or no longer as it was left; null when every file in it is as the run left it.
    /// </summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string? WhyNot(string folder, CancellationToken cancellationToken)
    {
        if (!folder.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal) || !Directory.Exists(Path.Combine(folder, BundleLayout.Payload)))
            return $"it is no '<bundle-id>{BundleWriter.PartialSuffix}' folder of a run";
        if (Directory.Exists(Path.Combine(folder, BundleLayout.PeopleFolder)))
            return "it is left of 'auditcli conclude', which collects nothing: delete it and conclude again";
        if (!File.Exists(Path.Combine(folder, BundleLayout.Manifest)) || !File.Exists(Path.Combine(folder, BundleLayout.Run)))
            return "the run was stopped before anything was collected, or '<bundle-id>.begun' is not beside it, so nothing says what is missing; "
                + "run the engagement again";
        try
        {
            var left = SafeFile.Read(Path.Combine(folder, BundleLayout.Manifest), LongestManifest)
                ?? throw new InvalidDataException("its manifest is too large");
            var before = Encoding.ASCII.GetString(left).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var now = BagSeal.Manifest(folder, [], cancellationToken).Lines.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return FirstPath(now.Except(before)) is { } changed ? $"{PrintableText.Of(changed, 500)} was changed or added since"
                : FirstPath(before.Except(now)) is { } missing ? $"{PrintableText.Of(missing, 500)} was removed since then"
                : null;
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or ArgumentException)
        {
            return e.Message;
        }
    }

    private static string? FirstPath(IEnumerable<string> lines) =>
        lines.Select(l => l[(l.IndexOf(' ', StringComparison.Ordinal) + 2)..]).FirstOrDefault();
}
