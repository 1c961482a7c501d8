using System.Collections.Immutable;
using System.IO.Compression;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests;

/// <summary>Collects one operation as a run does, into a separate bundle.</summary>
internal static class CollectedRows
{
    /// <summary>Returns the evidence item as it is written to the index, and the rows of its table.</summary>
    /// <param name="allowed">The codes that the control allows as an empty answer.</param>
    public static async Task<(EvidenceItem Item, ImmutableArray<JsonElement> Rows)> OfAsync(
        ICollector collector, ExchangeTransport transport, Target target, Operation operation, params ImmutableSortedSet<string> allowed)
    {
        var plan = new CollectionPlan(
            [new(
                "rows", target.Name, operation, ImmutableSortedDictionary<string, JsonElement>.Empty, null,
                ImmutableSortedDictionary<string, string>.Empty, allowed, null, [])],
            [], []);
        using var folder = new TemporaryFolder();
        await using var bundle = BundleWriter.Create(folder.Path, "a-bundle");
        var run = new CollectionRun(
            plan, ImmutableDictionary<string, ICollector>.Empty.Add(target.Source, collector), transport, bundle, TimeProvider.System,
            new ConcurrencyLimit(RequestLimits.Default), _ => { });
        var item = Assert.Single((await run.RunAsync([target], [], CancellationToken.None)).Items);
        return (item, item.Table is null ? [] : Table(bundle.PathOf(item.Table)));
    }

    private static ImmutableArray<JsonElement> Table(string path)
    {
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }
}
