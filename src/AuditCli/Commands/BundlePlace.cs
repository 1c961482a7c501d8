using System.Collections.Immutable;
using AuditCli.Evidence.Bundles;
using AuditCli.Reperformance;

namespace AuditCli.Commands;

/// <summary>
/// The folder that a command reads a bundle in: the one that was named or, for an archive, a temporary one into which it is unpacked and
/// which is deleted on disposal.
/// </summary>
internal sealed class BundlePlace : IDisposable
{
    private readonly WorkFolder? _work;

    private BundlePlace(string folder, WorkFolder? work) => (Folder, _work) = (folder, work);

    /// <summary>The full path of the bundle's folder.</summary>
    public string Folder { get; }

    /// <summary>Finds a bundle; returns null, and why, if the path cannot be one.</summary>
    /// <param name="path">A full path.</param>
    /// <exception cref="InvalidDataException">It is an archive that cannot be unpacked safely; the message says why.</exception>
    /// <exception cref="IOException">It cannot be read, or the temporary folder cannot be written.</exception>
    public static (BundlePlace? Place, string? WhyNot) Of(string path, CancellationToken cancellationToken)
    {
        if (BundleArgument.WhyNoBundle(path) is { } wrong)
            return (null, wrong);
        if (!File.Exists(path))
            return (new(path, null), null);
        var work = new WorkFolder();
        try
        {
            return (new(BundleArchiver.Unpack(path, work.Path, cancellationToken), work), null);
        }
        catch
        {
            work.Dispose();
            throw;
        }
    }

    /// <summary>Finds several bundles; returns none, and why, if one of the paths cannot be one.</summary>
    /// <inheritdoc cref="Of"/>
    public static (BundlePlaces? Places, string? WhyNot) All(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        var found = ImmutableArray.CreateBuilder<BundlePlace>();
        try
        {
            foreach (var path in paths)
            {
                var (place, wrong) = Of(path, cancellationToken);
                if (place is null)
                {
                    new BundlePlaces(found.ToImmutable()).Dispose();
                    return (null, wrong);
                }
                found.Add(place);
            }
            return (new(found.ToImmutable()), null);
        }
        catch
        {
            new BundlePlaces(found.ToImmutable()).Dispose();
            throw;
        }
    }

    public void Dispose() => _work?.Dispose();
}

/// <summary>The places of several bundles, in the order in which they were named.</summary>
internal sealed record BundlePlaces(ImmutableArray<BundlePlace> All) : IDisposable
{
    public ImmutableArray<string> Folders => [.. All.Select(p => p.Folder)];

    public void Dispose()
    {
        foreach (var place in All)
            place.Dispose();
    }
}
