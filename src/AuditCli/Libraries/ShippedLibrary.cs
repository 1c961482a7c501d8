using System.Collections.Immutable;
using System.Reflection;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Libraries;

/// <summary>
/// The controls embedded at build time. Controls of a library folder are compared with them to classify them as shipped, modified or local.
/// </summary>
internal static class ShippedLibrary
{
    private const string Prefix = "controls/";

    /// <summary>Returns the embedded files, with paths relative to the library's root.</summary>
    public static ImmutableArray<LibraryFile> Files()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return
        [
            .. assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
                .Select(n => new LibraryFile(n[Prefix.Length..].Replace('\\', '/'), Read(assembly, n), $"(shipped) {n.Replace('\\', '/')}")),
        ];
    }

    /// <summary>The ids of the embedded controls, in order.</summary>
    public static IEnumerable<string> Ids => Files()
        .Where(IsControl)
        .Select(f => Path.GetFileNameWithoutExtension(f.Path)).Order(StringComparer.Ordinal);

    /// <summary>Returns the digest of every embedded control by id.</summary>
    public static ImmutableDictionary<string, Digest> Digests(ImmutableArray<LibraryFile> files) => files
        .Where(IsControl)
        .ToImmutableDictionary(f => Path.GetFileNameWithoutExtension(f.Path), f => Digest.Of(f.Content.Span));

    /// <summary>Returns the embedded files of one of the library's folders beside the domains: packs or frameworks.</summary>
    public static ImmutableArray<LibraryFile> In(string folder) => [.. Files().Where(f => f.Path.StartsWith(folder + "/", StringComparison.Ordinal))];

    private static bool IsControl(LibraryFile file) =>
        !file.Path.EndsWith(".fixtures.yaml", StringComparison.Ordinal) && !LibraryFile.IsNoControl(file.Path);

    private static byte[] Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
