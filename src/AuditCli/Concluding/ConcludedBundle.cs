using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Workpapers;
using AuditCli.Running;
using AuditCli.Signing;

namespace AuditCli.Concluding;

/// <summary>A sheet that a person filled in.</summary>
/// <param name="Name">The name of the file, for messages and for the record.</param>
internal sealed record PeopleSheet(string Name, ReadOnlyMemory<byte> Content);

/// <summary>How a concluded bundle is written.</summary>
/// <param name="Out">The full path of the folder for the bundle.</param>
/// <param name="ArchivesAt">
/// The address at which the archive of the collected bundle will be; null puts it into the bundle. The archive is then written beside it.
/// </param>
internal sealed record ConcludeOptions(string Out, SigningOptions? Signing, string? ArchivesAt);

/// <summary>A bundle that was concluded again with what people said.</summary>
/// <param name="Collected">The archive of the collected bundle that was written beside the new one; null if it is inside.</param>
internal sealed record Concluded(SealedBundle Bundle, EvaluationResults Results, RunRecord Record, SignedBundle? Signed, string? Collected)
{
    /// <summary>The archive into which the new bundle was put; null if it is a folder.</summary>
    public string? Archive { get; init; }

    /// <summary>The bundle's path as it is handed over: its archive, or its folder.</summary>
    public string Path => Archive ?? Bundle.Path;
}

/// <summary>
/// Seals a bundle over a collected one: the same questions, people's sheets, and the conclusions that follow. The collected bundle is in it as
/// it was sealed, so whoever has the new bundle can check both.
/// </summary>
/// <param name="collected">The collected bundle, verified and opened.</param>
/// <param name="path">Its folder or archive.</param>
internal sealed class ConcludedBundle(OpenedBundle collected, string path, AuditHost host)
{
    private BundleWriter? _begun;

    /// <summary>The folder of an unfinished bundle; null before it is begun and after it is sealed.</summary>
    public string? PartialFolder => _begun is { SealedFolder: null } ? _begun.PartialFolder : null;

    /// <summary>Writes and seals the bundle.</summary>
    /// <exception cref="IOException">It cannot be written; the partial folder stays.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the partial folder stays.</exception>
    public async Task<Concluded> SealAsync(
        EvaluationResults results, ImmutableArray<PeopleSheet> sheets, ConcludeOptions options, CancellationToken cancellationToken)
    {
        var now = host.Clock.GetUtcNow();
        using var signing = options.Signing is null ? null : SigningSession.Open(options.Signing, host);
        await using var bundle = BundleWriter.Create(options.Out, BundleIds.New(collected.Record.Entity, now, host));
        _begun = bundle;
        await CopyAsync(bundle, cancellationToken);
        foreach (var (n, sheet) in sheets.Index())
            await bundle.WriteFileAsync(BundleLayout.Sheet(n + 1), sheet.Content, cancellationToken);
        var shard = await Task.Run(() => Pack(bundle, cancellationToken), cancellationToken);
        await bundle.WriteFileAsync(BundleLayout.Shards, ShardList.Write([shard]), cancellationToken);
        await bundle.WriteFileAsync(BundleLayout.Results, ResultsJson.Write(results), cancellationToken);
        await bundle.EndIndexAsync(cancellationToken);
        await using (var log = RunLog.Open(bundle.PathOf(BundleLayout.Log), TextWriter.Null, verbose: false))
            log.Information("Concluded {BundleId} with {Sheets} sheets", collected.Id, sheets.Length);
        var record = Record(bundle.BundleId, shard, sheets, now);
        var workpaper = WorkpaperReader.Read(OpenedBundle.Of(BundleFolder.WithoutManifest(bundle.PartialFolder), record, results), host.Sources);
        await Task.Run(() => ReportFormats.Seal(workpaper, bundle, cancellationToken), cancellationToken);
        await bundle.WriteFileAsync(BundleLayout.Run, record.Write(), cancellationToken);
        var away = options.ArchivesAt is { } at ? MoveAway(bundle, shard, at, options.Out) : default;
        var (seal, signed) = await SigningSession.SealAsync(
            bundle, signing, now, collected.Scope(host.Sources).Engagement.RetainUntil, away.Entry is { } entry ? [entry] : [], cancellationToken);
        return new(seal, results, record, signed, away.File);
    }

    /// <summary>Copies what both bundles share: the engagement, the controls and the results by partition.</summary>
    private async Task CopyAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        foreach (var file in collected.Files.Below(BundleLayout.ControlsFolder).Append(BundleLayout.Engagement)
            .Concat(collected.Results.Controls.Where(c => c.Partitions is not null).Select(c => BundleLayout.Partitions(c.Id))))
        {
            await using var from = collected.Files.Open(file, cancellationToken);
            await using var to = bundle.OpenFile(file);
            await from.CopyToAsync(to, cancellationToken);
        }
    }

    private Shard Pack(BundleWriter bundle, CancellationToken cancellationToken)
    {
        long length;
        using (var archive = bundle.OpenFile(BundleLayout.ShardArchive(collected.Id)))
        {
            BundleArchiver.Pack(path, collected.Files.TagManifestSha256!.Value, archive, cancellationToken);
            archive.Flush(flushToDisk: true);
            length = archive.Length;
        }
        return ShardsCheck.Describe(collected.Files, collected.Record, length);
    }

    /// <summary>Moves the archive out of the bundle, after the reports were made of it.</summary>
    private static (FetchEntry? Entry, string? File) MoveAway(BundleWriter bundle, Shard shard, string at, string folder)
    {
        var inside = bundle.PathOf(shard.Archive);
        var digest = BundleFile.Hash(bundle.PartialFolder, shard.Archive);
        var file = Path.Combine(folder, Path.GetFileName(shard.Archive));
        File.Move(inside, file);
        Directory.Delete(Path.GetDirectoryName(inside)!);
        return (new FetchEntry($"{at.TrimEnd('/')}/{Path.GetFileName(file)}", shard.Bytes, shard.Archive, digest), file);
    }

    /// <summary>Returns the record of the collection, with what was added now. Places of exchanges are in the archive.</summary>
    private RunRecord Record(string bundleId, Shard shard, ImmutableArray<PeopleSheet> sheets, DateTimeOffset now) => collected.Record with
    {
        BundleId = bundleId,
        Tool = RunTool.OfThisProgram,
        Targets =
        [
            .. collected.Record.Targets.Select(t => t with
            {
                Exchanges = t.Exchanges is { } all ? [.. all.Select(e => e with { File = $"{shard.Archive}/{e.File}" })] : null,
            }),
        ],
        Concluded = new(
            collected.Id, shard.TagManifest.Hex, Rfc3339.Format(now), Environment.UserName, Environment.MachineName,
            [.. sheets.Select((s, n) => new RunSheet(s.Name, BundleLayout.Sheet(n + 1), Digest.Of(s.Content.Span).Hex))]),
    };
}
