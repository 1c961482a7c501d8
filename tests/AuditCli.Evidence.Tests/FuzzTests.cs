using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests;

/// <summary>Checks that reading exchange files and bundle archives with arbitrary changes ends with a result.</summary>
public sealed class FuzzTests
{
    [Fact]
    public void A_changed_file_of_exchanges_is_read_or_named_as_damaged()
    {
        byte[][] honest = [.. new[] { "sts-aws-global", "identitystore-us-east-1", "s3control-aws-global" }
            .Select(n => File.ReadAllBytes(Repository.Path("samples", "exchanges", "prod", $"{n}.warc.gz")))];
        Fuzz.Changed(honest, [], Exchanges);
        // Changes the content before it is compressed, so that the changes get past the gzip checksum.
        Fuzz.Changed(
            [.. honest.Select(Inflated)],
            Words(
                "WARC/1.1\r\n", "Content-Length: 99999999999\r\n", "\r\n\r\n", "WARC-Type: request\r\n", "HTTP/1.1 200 OK\r\n",
                "Transfer-Encoding: chunked\r\n"),
            b => Exchanges(Deflated(b)));
    }

    [Fact]
    public async Task A_changed_archive_of_a_bundle_gets_a_report()
    {
        using var folder = new TemporaryFolder();
        await using var bundle = BundleWriter.Create(folder.Path, "acme-2026");
        await bundle.WriteFileAsync("data/run.json", "{\"mode\":\"replay\"}"u8.ToArray(), default);
        await bundle.WriteFileAsync("data/inputs/hr.csv", "id\n1\n"u8.ToArray(), default);
        await bundle.AppendEvidenceAsync(Bundles.Samples.Item("prod", "aws-iam-listusers-0123456789ab"), default);
        var sealedAt = (await bundle.SealAsync(Bundles.Samples.Info, default)).Path;
        var (zip, tar) = (Path.Combine(folder.Path, "a.zip"), Path.Combine(folder.Path, "a.tar"));
        ZipFile.CreateFromDirectory(sealedAt, zip, CompressionLevel.Optimal, includeBaseDirectory: true);
        await TarFile.CreateFromDirectoryAsync(sealedAt, tar, includeBaseDirectory: true);

        Fuzz.Changed(
            [await File.ReadAllBytesAsync(zip), await File.ReadAllBytesAsync(tar)],
            [[0x50, 0x4B, 1, 2], [0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0xFF, 0xFF, 0xFF, 0xFF], .. Words("../", "ustar\0", "777777777777", "data/run.json")],
            content =>
            {
                var path = Path.Combine(folder.Path, "changed");
                File.WriteAllBytes(path, content);
                _ = BundleVerifier.VerifyAsync(path, new VerifyOptions(AllowUnsigned: true), CancellationToken.None).GetAwaiter().GetResult();
            });
    }

    private static void Exchanges(byte[] content)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "x.warc.gz");
        File.WriteAllBytes(path, content);
        try
        {
            foreach (var exchange in new RecordedExchanges(path).All())
                _ = exchange.Exchange;
        }
        catch (InvalidDataException)
        {
            // The exception says where the damage is.
        }
    }

    private static byte[] Inflated(byte[] content)
    {
        using var gzip = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
        var inflated = new MemoryStream();
        gzip.CopyTo(inflated);
        return inflated.ToArray();
    }

    /// <summary>Compresses each record into a separate member, as the format requires.</summary>
    private static byte[] Deflated(byte[] content)
    {
        var deflated = new MemoryStream();
        var begin = 0;
        while (begin < content.Length)
        {
            var next = content.AsSpan(begin + 1).IndexOf("WARC/1.1"u8);
            var end = next < 0 ? content.Length : begin + 1 + next;
            using (var gzip = new GZipStream(deflated, CompressionLevel.Fastest, leaveOpen: true))
                gzip.Write(content, begin, end - begin);
            begin = end;
        }
        return deflated.ToArray();
    }

    private static byte[][] Words(params string[] words) => [.. words.Select(Encoding.Latin1.GetBytes)];
}
