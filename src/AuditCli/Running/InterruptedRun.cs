using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Libraries;

namespace AuditCli.Running;

/// <summary>Loads a run that was interrupted, from its <c>.partial</c> folder and what was kept beside it.</summary>
internal static class InterruptedRun
{
    /// <summary>Whether a folder is that of a run that can go on.</summary>
    public static bool Is(string folder) => folder.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal)
        && !BundleWriter.PartialSuffix.Equals(Path.GetFileName(folder), StringComparison.Ordinal) && BegunBundle.Questions(folder) is not null;

    /// <summary>Loads the run, with the engagement, the controls and the inputs that it had.</summary>
    /// <param name="work">An empty folder for copies.</param>
    /// <returns>On failure null and why the run cannot go on.</returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<(PreparedRun? Run, string? WhyNot)> LoadAsync(string folder, string work, AuditHost host, CancellationToken cancellationToken)
    {
        var id = Path.GetFileName(folder)[..^BundleWriter.PartialSuffix.Length];
        if (Path.Exists(Path.Combine(Path.GetDirectoryName(folder)!, id)))
            return (null, $"its bundle is sealed: {Path.Combine(Path.GetDirectoryName(folder)!, id)}");
        BegunRun begun;
        try
        {
            begun = BegunRun.Read(BegunBundle.Questions(folder)!);
        }
        catch (InvalidDataException e)
        {
            return (null, e.Message);
        }
        if (begun.Tool != Tool.Version)
        {
            return (null, $"auditcli {PrintableText.Of(begun.Tool)} began it, and this is {Tool.Version}, which may read responses differently: "
                + "resume it with that version");
        }
        if (!PreparedRun.TryKey(host.Environment(PreparedRun.RedactionVariable), out var key))
            return (null, $"{PreparedRun.RedactionVariable}: {PreparedRun.KeyNeeded}");
        if ((key is { } given ? BegunRun.Commitment(given.Span) : null) is var commitment && commitment != begun.RedactionKey)
        {
            return (null, begun.RedactionKey is null
                ? $"it began without {PreparedRun.RedactionVariable}: unset the variable"
                : $"it began with another value of {PreparedRun.RedactionVariable}: set that one, or equal secrets would get different digests");
        }
        foreach (var (path, digest) in begun.Files)
        {
            if (await CopyAsync(BegunBundle.Payloads(folder), path, digest, work, cancellationToken) is { } missing)
                return (null, missing);
        }
        return Prepare(begun, id, folder, work, host, key);
    }

    private static (PreparedRun? Run, string? WhyNot) Prepare(
        BegunRun begun, string id, string folder, string work, AuditHost host, ReadOnlyMemory<byte>? key)
    {
        var controls = Path.Combine(work, BundleLayout.ControlsFolder);
        var library = ControlLibrary.OfBundle(
            Directory.EnumerateFiles(controls).Order(StringComparer.Ordinal).Select(f => new LibraryFile(Path.GetFileName(f), RegularFile.ReadAllBytes(f), f)),
            host.Sources,
            ShippedLibrary.Digests(ShippedLibrary.Files()));
        var (engagement, faults) = library.Faults.IsEmpty
            ? EngagementLoader.OfBegun(
                begun.Engagement, RegularFile.ReadAllBytes(Path.Combine(work, BundleLayout.Engagement)), work, host.Sources,
                [.. library.Controls.Select(c => c.Control)])
            : (null, library.Faults);
        if (engagement is null)
            return (null, $"its questions cannot be read: {string.Join("; ", faults)}");
        var stated = engagement.AsOf;
        engagement = engagement with { AsOf = begun.AsOf, Include = [] };
        var plan = Planner.Plan(engagement, begun.Engagement, library.Controls, host.Sources, new([], begun.Targets), begun.AsOf);
        if (!plan.Faults.IsEmpty)
            return (null, $"its questions cannot be planned: {string.Join("; ", plan.Faults)}");
        if (WhyOther(begun, id, stated, plan.Plan, host) is { } other)
            return (null, $"what was kept of the run was changed: {other}");
        var stopped = new StoppedRun(id, begun.Started, begun.User, begun.Machine, begun.NotTested)
        {
            Originals = begun.Originals.ToImmutableSortedDictionary(
                o => o.Key, o => Digest.TryParse(o.Value, out var original) ? original : throw new InvalidDataException($"'{o.Value}' is not a SHA-256"),
                StringComparer.Ordinal),
            Folder = folder,
        };
        return (new(engagement, plan, key) { Targets = begun.Targets, Stopped = stopped }, null);
    }

    /// <summary>Returns the first statement about the run that the engagement, the bundle's name or the clock contradicts.</summary>
    private static string? WhyOther(BegunRun begun, string id, DateTimeOffset? stated, CollectionPlan plan, AuditHost host) =>
        !id.Contains(BundleIds.MomentOf(begun.Started), StringComparison.Ordinal) || begun.Started > host.Clock.GetUtcNow()
            ? $"it says that {PrintableText.Of(id)} was begun at {Rfc3339.Format(begun.Started)}"
        : stated is { } moment && moment != begun.AsOf ? $"it says as_of {Rfc3339.Format(begun.AsOf)}, and the engagement {Rfc3339.Format(moment)}"
        : plan.NotTested.FirstOrDefault(n => !begun.NotTested.Contains(n)) is { } silent
            ? $"it does not say that {PrintableText.Of(silent.Id)} is not tested: {silent.Reason}"
        : null;

    /// <summary>Copies a file that was written before the first request; returns why not, if it is nowhere as it was written.</summary>
    private static async Task<string?> CopyAsync(
        ImmutableArray<string> payloads, string path, string digest, string work, CancellationToken cancellationToken)
    {
        string target;
        try
        {
            target = Path.Combine([work, .. path.Split('/').Select(BundlePaths.Segment)]);
        }
        catch (ArgumentException)
        {
            return $"what was kept of the run names '{PrintableText.Of(path)}', which cannot be a file of a bundle";
        }
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        foreach (var from in payloads.Select(p => Path.Combine(p, path[(BundleLayout.Payload.Length + 1)..])).Where(File.Exists))
        {
            await using (var source = RegularFile.OpenRead(from))
            await using (var copy = new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None))
                await source.CopyToAsync(copy, cancellationToken);
            // Compare the copy, so that a later change of the original cannot matter.
            if (BundleFile.Hash(work, path).Hex == digest)
                return null;
        }
        return $"{path} is not there as it was when the run began";
    }
}
