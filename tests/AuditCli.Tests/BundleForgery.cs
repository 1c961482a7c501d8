using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Warc;

namespace AuditCli.Tests;

/// <summary>
/// Changes a copy of a bundle as somebody without a key can: first the content, then every digest that would reveal the change.
/// </summary>
internal static class BundleForgery
{
    /// <summary>Copies the bundle into that folder under its own name.</summary>
    public static string Copy(string bundle, string folder)
    {
        var copy = Path.Combine(folder, Path.GetFileName(bundle));
        foreach (var file in Directory.GetFiles(bundle, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(bundle, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return copy;
    }

    /// <summary>Copies the signature of a bundle into a copy of it.</summary>
    public static void CopyAttestation(string bundle, string copy)
    {
        Directory.CreateDirectory(Path.Combine(copy, "attestation"));
        foreach (var file in Directory.GetFiles(Path.Combine(bundle, "attestation")))
            File.Copy(file, Path.Combine(copy, "attestation", Path.GetFileName(file)));
    }

    /// <summary>Replaces text in a file, and fails if the file does not contain it.</summary>
    public static void Replace(string bundle, string file, string what, string with)
    {
        var path = Path.Combine(bundle, file);
        var text = File.ReadAllText(path);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(what, with, StringComparison.Ordinal));
    }

    /// <summary>Returns the results of a control by partition.</summary>
    public static JsonElement[] Partitions(string bundle, string control) =>
        [.. File.ReadLines(Path.Combine(bundle, BundleLayout.Partitions(control))).Select(l => JsonElement.Parse(l))];

    /// <summary>Changes the lines of a control's results by partition, with their digest and number in results.json.</summary>
    public static void EditPartitions(string bundle, string control, Func<string[], IEnumerable<string>> edit)
    {
        var path = Path.Combine(bundle, BundleLayout.Partitions(control));
        var (before, lines) = (File.ReadAllBytes(path), File.ReadAllLines(path));
        string[] edited = [.. edit(lines)];
        File.WriteAllText(path, string.Concat(edited.Select(l => l + "\n")));
        Replace(
            bundle, BundleLayout.Results,
            $"\"partitions\":{{\"lines\":{lines.Length},\"sha256\":\"{Digest.Of(before)}\"}}",
            $"\"partitions\":{{\"lines\":{edited.Length},\"sha256\":\"{Digest.Of(File.ReadAllBytes(path))}\"}}");
    }

    /// <summary>Replaces text in the results of a control by partition, with their digest in results.json.</summary>
    public static void ReplaceInPartitions(string bundle, string control, string what, string with) => EditPartitions(bundle, control, lines =>
    {
        Assert.Contains(lines, l => l.Contains(what, StringComparison.Ordinal));
        return lines.Select(l => l.Replace(what, with, StringComparison.Ordinal));
    });

    public static string ReadTable(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }

    /// <summary>Replaces text in the rows of a compressed table.</summary>
    public static void ReplaceInTable(string path, string what, string with)
    {
        var text = ReadTable(path);
        Assert.Contains(what, text, StringComparison.Ordinal);
        using var writer = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        writer.Write(Encoding.UTF8.GetBytes(text.Replace(what, with, StringComparison.Ordinal)));
    }

    /// <summary>Rewrites a file of exchanges. The function returns each record, a changed one, or null to drop it.</summary>
    public static void EditExchanges(string path, Func<WarcRecord, WarcRecord?> edit)
    {
        WarcRecord[] records;
        using (var file = File.OpenRead(path))
            records = [.. new WarcReader(file).ReadAll().Select(r => r.Record)];
        var kept = records.Select(edit).OfType<WarcRecord>().ToArray();
        Assert.True(kept.Length < records.Length || kept.Zip(records).Any(r => !ReferenceEquals(r.First, r.Second)), "nothing was changed");
        File.WriteAllBytes(path, WarcWriter.Compress(kept, CompressionLevel.Fastest).ToArray());
    }

    /// <summary>Returns the record with text in its body replaced.</summary>
    /// <param name="honest">Whether its digests are computed from the new text.</param>
    public static WarcRecord WithBody(WarcRecord record, string what, string with, bool honest)
    {
        var message = Encoding.UTF8.GetString(record.Block.Span).Replace(what, with, StringComparison.Ordinal);
        Assert.Equal(record.Block.Length, Encoding.UTF8.GetByteCount(message));
        var block = Encoding.UTF8.GetBytes(message);
        var payload = block[(message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        return new([.. record.Fields.Select(f => !honest ? f : f.Key switch
        {
            "WARC-Block-Digest" => new(f.Key, $"sha256:{Digest.Of(block)}"),
            "WARC-Payload-Digest" => new(f.Key, $"sha256:{Digest.Of(payload)}"),
            _ => f,
        })], block);
    }

    /// <summary>Recomputes the totals and both manifests from the content of the folder, so that verification succeeds.</summary>
    public static void Reseal(string bundle)
    {
        var files = Directory.GetFiles(Path.Combine(bundle, "data"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(bundle, f)).Order(StringComparer.Ordinal).ToArray();
        var info = Path.Combine(bundle, "bag-info.txt");
        File.WriteAllLines(info, File.ReadAllLines(info).Select(l => l.StartsWith("Payload-Oxum: ", StringComparison.Ordinal)
            ? $"Payload-Oxum: {files.Sum(f => new FileInfo(Path.Combine(bundle, f)).Length)}.{files.Length}"
            : l));
        File.WriteAllText(Path.Combine(bundle, "manifest-sha256.txt"), string.Concat(files.Select(Line)));
        string[] tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"];
        File.WriteAllText(Path.Combine(bundle, "tagmanifest-sha256.txt"), string.Concat(tags.Select(Line)));

        string Line(string file) => $"{Digest.Of(File.ReadAllBytes(Path.Combine(bundle, file)))}  {file}\n";
    }
}
