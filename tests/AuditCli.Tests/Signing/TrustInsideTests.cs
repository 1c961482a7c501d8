using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Signing;

/// <summary>Checks that a key inside the bundle is refused as a trust anchor, whatever form its path has.</summary>
public sealed class TrustInsideTests(SignedSample sample) : IClassFixture<SignedSample>, IDisposable
{
    private const string Signer = "attestation/signer.pub.pem";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var command in new[] { "verify BUNDLE", "report BUNDLE --format md", "reperform BUNDLE", "diff BUNDLE BUNDLE" })
            {
                foreach (var way in new[]
                {
                    "its own path", "a path with dots", "a link to the file", "a link to its folder", "a link to the bundle", "a link to a link",
                    "a relative link", "the bundle by a linked folder", "another bundle", "a key among the payload",
                })
                {
                    cases.Add(command, way);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_key_from_inside_is_refused(string command, string way)
    {
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "row"));
        var key = Path.Combine(bundle, Signer);
        var link = Path.Combine(_folder.Path, "link");
        switch (way)
        {
            case "a path with dots":
                key = Path.Combine(bundle, "data", "..", "attestation", ".", "signer.pub.pem");
                break;
            case "a link to the file":
                File.CreateSymbolicLink(link, key);
                key = link;
                break;
            case "a link to its folder":
                Directory.CreateSymbolicLink(link, Path.GetDirectoryName(key)!);
                key = Path.Combine(link, "signer.pub.pem");
                break;
            case "a link to the bundle":
                Directory.CreateSymbolicLink(link, bundle);
                key = Path.Combine(link, Signer);
                break;
            case "a link to a link":
                File.CreateSymbolicLink(link, key);
                File.CreateSymbolicLink(link + "2", link);
                key = link + "2";
                break;
            case "a relative link":
                File.CreateSymbolicLink(link, Path.GetRelativePath(_folder.Path, key));
                key = link;
                break;
            case "the bundle by a linked folder":
                Directory.CreateSymbolicLink(link, Path.GetDirectoryName(bundle)!);
                bundle = Path.Combine(link, Path.GetFileName(bundle));
                break;
            case "another bundle":
                key = Path.Combine(BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "other")), Signer);
                break;
            case "a key among the payload":
                key = Path.Combine(bundle, "data", "auditor.pem.pub");
                File.Copy(sample.Key + ".pub", key);
                break;
        }
        Assert.True(File.Exists(key), key);
        var result = await AuditCommand.RunAsync(_folder.Path, [.. command.Split(' ').Select(w => w == "BUNDLE" ? bundle : w), "--trust", key]);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains($"--trust {key} is inside the bundle ", result.Error, StringComparison.Ordinal);
        Assert.Contains("and proves nothing", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("holds", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_root_of_a_time_stamp_from_inside_is_refused()
    {
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "row"));
        var result = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--trust", sample.Key + ".pub", "--tsa-root", Path.Combine(bundle, Signer));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--tsa-root ", result.Error, StringComparison.Ordinal);
        Assert.Contains("proves nothing", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("beside")]
    [InlineData("behind a link")]
    [InlineData("fingerprint")]
    public async Task A_key_from_outside_is_taken(string way)
    {
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "row"));
        var key = Path.Combine(_folder.Path, "row", "auditor.pub");
        File.Copy(sample.Key + ".pub", key);
        if (way == "behind a link")
        {
            File.CreateSymbolicLink(Path.Combine(_folder.Path, "link"), key);
            key = Path.Combine(_folder.Path, "link");
        }
        if (way == "fingerprint")
        {
            using var ecdsa = System.Security.Cryptography.ECDsa.Create();
            ecdsa.ImportFromPem(File.ReadAllText(key));
            key = AuditCli.Evidence.Digest.Of(ecdsa.ExportSubjectPublicKeyInfo()).Hex;
        }
        var result = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--trust", key);
        Assert.True(result.ExitCode == 0, result.ToString());
    }
}
