using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Attestation;

/// <summary>Changes a bundle between its check and its signing. What is signed must be what was checked, or nothing.</summary>
public sealed class SigningWindowTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_bundle_sealed_anew_after_it_was_checked_is_not_signed()
    {
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", request: null);
        var report = await Samples.VerifyAsync(bundle);
        File.WriteAllText(Path.Combine(bundle, "data", "inputs", "hr", "hr.csv"), "id\n9\n");
        Samples.Reseal(bundle);
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(bundle)).Answer);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SignAsync(bundle, report.TagManifestSha256));
        Assert.Contains("in the meantime", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(bundle, "attestation")));
    }

    [Theory]
    [InlineData("data/run.json")]
    [InlineData("data/results/results.json")]
    [InlineData("manifest-sha256.txt")]
    [InlineData("bag-info.txt")]
    public async Task What_a_signer_repeats_is_what_the_manifests_cover(string file)
    {
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", request: null);
        var report = await Samples.VerifyAsync(bundle);
        File.AppendAllText(Path.Combine(bundle, file), "\n");
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SignAsync(bundle, report.TagManifestSha256));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(bundle, "attestation")));
    }

    private static async Task SignAsync(string bundle, Digest? expected)
    {
        using var key = SigningKey.Create();
        await BundleSigner.SignAsync(bundle, new(key, null, null, [], (_, _, _) => throw new IOException("nobody is asked")) { Expected = expected }, default);
    }
}
