using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Attestation;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Verification;

/// <summary>
/// Checks that a signed bundle fails verification after each kind of tampering on the list, and after a change to any byte.
/// </summary>
public sealed class SignedTamperTests(SignedRow row) : IClassFixture<SignedRow>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // Codes for edits that resealing hides in an unsigned bundle. Here the signature covers the tag manifest, so they are found.
    private static readonly Dictionary<string, string> Resealed = new(StringComparer.Ordinal)
    {
        ["M03 both manifests rewritten over less"] = "CONTENT_MODIFIED",
        ["M07 the same, resealed"] = "CONTENT_MODIFIED",
    };

    public static TheoryData<string> Names => [.. SignedTampering.Cases.Keys];

    public static TheoryData<string> UnsignedNames => [.. TamperTests.Cases.Keys.Where(n => !IsHostileManifest(n))];

    public static TheoryData<string> HostileNames => [.. TamperTests.Cases.Keys.Where(IsHostileManifest)];

    public void Dispose() => _folder.Dispose();

    [NeedsTheory("openssl")]
    [MemberData(nameof(Names))]
    public async Task Tampering_with_a_signed_bundle_fails_verification_and_says_how(string name)
    {
        var (code, tamper, ask, trustWhatIsShown) = SignedTampering.Cases[name];
        var bundle = Copy(row.Second);
        File.Copy(Path.Combine(bundle, "data", "inputs", "hr", "hr.csv"), Path.Combine(_folder.Path, "copy.csv"));
        tamper(bundle, row);
        var options = ask?.Invoke(row.Options, row) ?? row.Options;
        if (trustWhatIsShown)
            options = options with { Trust = options.Trust.With(File.ReadAllText(Forgery.At(bundle, "signer.pub.pem"))) };
        var report = await BundleVerifier.VerifyAsync(bundle, options, default);
        if (code is null)
            Assert.Empty(report.Problems);
        else
            Assert.Contains(code, report.Problems.Select(p => p.Code));
        Assert.Equal(code is null ? VerifyAnswer.Holds : VerifyAnswer.Fails, report.Answer);
    }

    [NeedsTheory("openssl")]
    [MemberData(nameof(UnsignedNames))]
    public async Task What_fails_for_an_unsigned_bundle_fails_for_a_signed_one(string name)
    {
        var bundle = Copy(row.Second);
        TamperTests.Cases[name].Tamper(bundle);
        var report = await BundleVerifier.VerifyAsync(bundle, row.Options, default);
        Assert.Contains(Resealed.GetValueOrDefault(name, TamperTests.Cases[name].Code), report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [NeedsTheory("openssl")]
    [MemberData(nameof(HostileNames))]
    public async Task A_hostile_manifest_fails_although_the_trusted_key_signed_it(string name)
    {
        var bundle = await SignedRow.SealAsync(_folder.Path, "hostile", row.Plain());
        TamperTests.Cases[name].Tamper(bundle);
        // The program's own signer refuses such a manifest.
        SignedTampering.SignWhatIsThere(bundle, row);
        var report = await BundleVerifier.VerifyAsync(bundle, row.Options with { TimeStampRoots = null }, default);
        Assert.Contains(TamperTests.Cases[name].Code, report.Problems.Select(p => p.Code));
        Assert.DoesNotContain(report.Lines, l => l.Question == "signature" && l.Answer != VerifyAnswer.Holds);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [NeedsFact("openssl")]
    public async Task Any_changed_removed_added_or_exchanged_byte_or_file_fails_verification()
    {
        var bundle = Copy(row.Second);
        var files = Directory.GetFiles(bundle, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        async Task Fails(string what)
        {
            var report = await BundleVerifier.VerifyAsync(bundle, row.Options, default);
            Assert.True(report.Answer == VerifyAnswer.Fails, what);
        }
        foreach (var file in files)
        {
            var content = File.ReadAllBytes(file);
            foreach (var at in Enumerable.Range(0, 12).Select(i => i * (content.Length - 1) / 11).Distinct())
            {
                File.WriteAllBytes(file, [.. content[..at], (byte)(content[at] ^ 1), .. content[(at + 1)..]]);
                await Fails($"{file}: byte {at} changed");
                File.WriteAllBytes(file, [.. content[..at], .. content[(at + 1)..]]);
                await Fails($"{file}: byte {at} removed");
                File.WriteAllBytes(file, [.. content[..at], (byte)'\n', .. content[at..]]);
                await Fails($"{file}: byte added at {at}");
            }
            File.Delete(file);
            await Fails($"{file} removed");
            File.WriteAllBytes(file, content);
            foreach (var other in files.Where(f => StringComparer.Ordinal.Compare(f, file) > 0))
            {
                var exchanged = File.ReadAllBytes(other);
                File.WriteAllBytes(file, exchanged);
                File.WriteAllBytes(other, content);
                await Fails($"{file} exchanged with {other}");
                File.WriteAllBytes(other, exchanged);
            }
            File.WriteAllBytes(file, content);
        }
        foreach (var folder in Directory.GetDirectories(bundle, "*", SearchOption.AllDirectories).Append(bundle))
        {
            File.WriteAllText(Path.Combine(folder, "added"), "x");
            await Fails($"{folder}: file added");
            File.Delete(Path.Combine(folder, "added"));
        }
        Assert.Equal(VerifyAnswer.Holds, (await BundleVerifier.VerifyAsync(bundle, row.Options, default)).Answer);
    }

    [NeedsFact("openssl")]
    public async Task Any_byte_of_the_attestation_can_be_anything_and_verification_ends_with_an_answer()
    {
        var random = new Random(7);
        foreach (var name in new[] { "statement.json", "statement.sig", "statement.tsr", "statement.sigstore.json", "signer.pub.pem" })
        {
            var bundle = Copy(row.Second, name);
            var content = File.ReadAllBytes(Forgery.At(bundle, name));
            for (var round = 0; round < 150; round++)
            {
                var changed = content.ToArray();
                changed[random.Next(changed.Length)] ^= (byte)random.Next(1, 256);
                File.WriteAllBytes(Forgery.At(bundle, name), changed);
                Assert.Equal(VerifyAnswer.Fails, (await BundleVerifier.VerifyAsync(bundle, row.Options, default)).Answer);
            }
        }
    }

    [NeedsFact("openssl")]
    public async Task A_link_to_a_signed_bundle_is_not_a_bundle()
    {
        var link = Path.Combine(_folder.Path, "link");
        Directory.CreateSymbolicLink(link, row.Second);
        var report = await BundleVerifier.VerifyAsync(link, row.Options, default);
        Assert.Equal("SPECIAL_FILE", Assert.Single(report.Problems).Code);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [NeedsFact("openssl")]
    public async Task Signed_and_nobody_said_whom_to_trust_is_undecided()
    {
        var report = await BundleVerifier.VerifyAsync(row.Second, new(AllowUnsigned: false), default);
        Assert.Equal("SIGNER_NOT_ASKED", Assert.Single(report.Problems).Code);
        Assert.Equal(VerifyAnswer.Undecided, report.Answer);
    }

    private static bool IsHostileManifest(string name) => name[0] == 'G' || name == "N one line too long";

    private string Copy(string bundle, string name = "b")
    {
        var copy = Path.Combine(_folder.Path, name);
        Samples.Copy(bundle, copy);
        return copy;
    }
}
