using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>
/// Verifies the bags of the BagIt conformance suite. The verifier requires RFC 8493 and more: only SHA-256 manifests, two spaces, ascending
/// order and a total. It refuses every invalid bag because of the rule that the bag tests, and the valid one because it has no SHA-256
/// manifest.
/// </summary>
public sealed class BagItVectorTests : IDisposable
{
    private static readonly string Vectors = Repository.Path("tests", "AuditCli.Evidence.Tests", "Vectors", "bagit", "v1.0");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    // RFC 8493, 2.1.1: no white space before the colon of bagit.txt.
    [InlineData("invalid/bagit-with-invalid-whitespace", "TYPE_UNSUPPORTED", "bagit.txt")]
    // RFC 8493, 2.1.3: a payload file that a manifest omits.
    [InlineData("invalid/notAllManifestsListAllFiles", "UNEXPECTED_FILE", "data/missingFromManifest.txt")]
    // RFC 8493, 2.1.3: a file must not be listed twice. The verifier refuses the suite's capital letters before it looks at that.
    [InlineData("invalid/same-filename-listed-twice-with-different-hashes", "MANIFEST_MALFORMED", "data/README")]
    [InlineData("invalid/same-filename-listed-twice-with-the-same-hash", "MANIFEST_MALFORMED", "data/README")]
    // Stricter than the RFC, which allows a bag any one algorithm.
    [InlineData("valid/basicBag", "MISSING_FILE", "manifest-sha256.txt")]
    public async Task A_bag_of_the_suite_is_refused(string bag, string code, string path)
    {
        var report = await Samples.VerifyAsync(Path.Combine(Vectors, bag));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        Assert.Contains((code, path), report.Problems.Select(p => (p.Code, p.Path)));
    }

    [Theory]
    [InlineData("invalid/same-filename-listed-twice-with-different-hashes", "MANIFEST_DUPLICATE")]
    [InlineData("invalid/same-filename-listed-twice-with-the-same-hash", "MANIFEST_DUPLICATE")]
    public async Task A_file_listed_twice_is_refused_for_that_when_its_name_is_allowed(string bag, string code)
    {
        var copy = Path.Combine(_folder.Path, "bag");
        Samples.Copy(Path.Combine(Vectors, bag), copy);
        File.Move(Path.Combine(copy, "data", "README"), Path.Combine(copy, "data", "readme"));
        Samples.Reseal(copy, File.ReadAllText(Path.Combine(copy, "manifest-sha256.txt")).Replace("README", "readme", StringComparison.Ordinal));
        Assert.Contains(code, (await Samples.VerifyAsync(copy)).Problems.Select(p => p.Code));
    }
}
