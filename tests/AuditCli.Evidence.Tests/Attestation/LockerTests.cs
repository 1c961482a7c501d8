using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Attestation;

/// <summary>Tests a folder in which a chain of bundles grows. A bundle that is missing, replaced or added is reported.</summary>
public sealed class LockerTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SigningKey _key = SigningKey.Create();
    private string _locker = "";

    public async Task InitializeAsync()
    {
        _locker = Path.Combine(_folder.Path, "locker");
        for (var number = 1; number <= 3; number++)
            await GrowAsync($"acme-{number}");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_whole_row_holds_and_its_head_is_what_sha256sum_would_write()
    {
        await AnsweredAsync(null);
        var statement = Path.Combine(_locker, "acme-3", "attestation", "statement.json");
        Assert.Equal($"{Digest.Of(File.ReadAllBytes(statement))}  acme-3/attestation/statement.json\n", File.ReadAllText(Path.Combine(_locker, "head")));
    }

    [Fact]
    public async Task A_bundle_taken_out_of_the_middle_leaves_a_gap()
    {
        Directory.Delete(Path.Combine(_locker, "acme-2"), recursive: true);
        await AnsweredAsync("CHAIN_GAP");
    }

    [Fact]
    public async Task The_newest_bundle_taken_away_contradicts_the_head()
    {
        Directory.Delete(Path.Combine(_locker, "acme-3"), recursive: true);
        await AnsweredAsync("CHAIN_HEAD_MISMATCH", "acme-2");
    }

    [Fact]
    public async Task A_second_bundle_with_one_number_is_a_fork()
    {
        await SignedRow.SealAsync(_locker, "acme-3b", Follow("acme-2"));
        await AnsweredAsync("CHAIN_FORK");
    }

    [Fact]
    public async Task A_bundle_signed_anew_breaks_the_row_behind_it()
    {
        Directory.Delete(Path.Combine(_locker, "acme-2", "attestation"), recursive: true);
        await BundleSigner.SignAsync(Path.Combine(_locker, "acme-2"), Follow("acme-1") with { Challenge = "another" }, default);
        await AnsweredAsync("CHAIN_BROKEN");
    }

    [Theory]
    [InlineData("acme-2", "CHAIN_HEAD_MISMATCH")]
    [InlineData(null, "CHAIN_HEAD_MISMATCH")]
    public async Task A_head_that_is_missing_or_older_is_told(string? older, string code)
    {
        var head = Path.Combine(_locker, "head");
        if (older is null)
            File.Delete(head);
        else
            File.WriteAllText(head, $"{SealedAttestation.Head(Path.Combine(_locker, older)).Bundle.Statement}  {older}/attestation/statement.json\n");
        await AnsweredAsync(code);
        // A chain must not be continued from there, because it would fork.
        using var open = Locker.Open(_locker);
        var refused = Assert.Throws<InvalidDataException>(open.Head);
        Assert.Contains("acme-", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000  ../acme-3/attestation/statement.json\n")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000  /etc/passwd\n")]
    [InlineData("not a line\n")]
    public async Task A_head_of_another_form_is_told(string content)
    {
        File.WriteAllText(Path.Combine(_locker, "head"), content);
        await AnsweredAsync("CHAIN_BROKEN");
    }

    [Fact]
    public async Task A_head_that_is_a_link_is_told()
    {
        File.Move(Path.Combine(_locker, "head"), Path.Combine(_locker, "elsewhere"));
        File.CreateSymbolicLink(Path.Combine(_locker, "head"), Path.Combine(_locker, "elsewhere"));
        await AnsweredAsync("CHAIN_BROKEN");
    }

    [Fact]
    public async Task A_bundle_that_lies_elsewhere_is_not_of_the_row()
    {
        var elsewhere = await SignedRow.SealAsync(Path.Combine(_folder.Path, "elsewhere"), "acme-4", Follow("acme-3"));
        var report = await VerifyAsync(elsewhere);
        Assert.Contains("CHAIN_BROKEN", report.Problems.Select(p => p.Code));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [Fact]
    public async Task A_locker_that_is_not_there_is_undecided_and_not_an_answer()
    {
        var report = await BundleVerifier.VerifyAsync(
            Path.Combine(_locker, "acme-3"), Options with { Locker = Path.Combine(_folder.Path, "nowhere") }, default);
        Assert.Equal("UNREADABLE", Assert.Single(report.Problems).Code);
        Assert.Equal(VerifyAnswer.Undecided, report.Answer);
    }

    [Fact]
    public void Only_one_program_at_a_time_adds_a_bundle()
    {
        using (Locker.Open(_locker))
            Assert.Contains("another program", Assert.Throws<IOException>(() => Locker.Open(_locker)).Message, StringComparison.Ordinal);
        using var again = Locker.Open(_locker);
        Assert.Equal(3, again.Head()!.Sequence);
    }

    [Fact]
    public async Task An_interrupted_signing_leaves_nothing_in_the_bundle_and_can_be_repeated()
    {
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme-4", request: null);
        var leftover = Directory.CreateDirectory(bundle + ".attestation-left").FullName;
        File.WriteAllText(Path.Combine(leftover, "statement.tsr"), "of an attempt that did not finish");
        using var cancelled = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BundleSigner.SignAsync(bundle, Follow("acme-3") with
        {
            Authorities = [new("http://127.0.0.1/")],
            Ask = async (_, _, token) =>
            {
                await cancelled.CancelAsync();
                token.ThrowIfCancellationRequested();
                return [];
            },
        }, cancelled.Token));
        Assert.False(Path.Exists(Path.Combine(bundle, "attestation")));
        Assert.Equal(VerifyAnswer.Holds, (await BundleVerifier.VerifyAsync(bundle, new(AllowUnsigned: true), default)).Answer);
        await BundleSigner.SignAsync(bundle, Follow("acme-3"), default);
        Assert.Equal(["signer.pub.pem", "statement.json", "statement.sig", "statement.sigstore.json"],
            Directory.GetFileSystemEntries(Path.Combine(bundle, "attestation")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(VerifyAnswer.Holds, (await BundleVerifier.VerifyAsync(bundle, Options, default)).Answer);
    }

    [Fact]
    public async Task Two_programs_that_sign_one_bundle_never_mix_what_they_write()
    {
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme-4", request: null);
        var both = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            try
            {
                await BundleSigner.SignAsync(bundle, Follow("acme-3"), default);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        })).ToArray();
        Assert.Single(await Task.WhenAll(both), signed => signed);
        Assert.Equal(VerifyAnswer.Holds, (await BundleVerifier.VerifyAsync(bundle, Options, default)).Answer);
        Assert.Empty(Directory.GetDirectories(_folder.Path, "*.attestation-*"));
    }

    private VerifyOptions Options => new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(_key.PublicPem) };

    private SigningRequest Follow(string? before) =>
        new(
            _key,
            null,
            before is null ? null : SealedAttestation.Head(Path.Combine(_locker, before)),
            [],
            (_, _, _) => throw new IOException("nobody is asked"));

    private Task<VerifyReport> VerifyAsync(string bundle) => BundleVerifier.VerifyAsync(bundle, Options with { Locker = _locker }, default);

    private async Task GrowAsync(string id)
    {
        using var locker = Locker.Open(_locker);
        var bundle = await SignedRow.SealAsync(_locker, id, new(_key, null, locker.Head(), [], (_, _, _) => throw new IOException("nobody is asked")));
        locker.Advance(id, SealedAttestation.Head(bundle).Bundle.Statement);
    }

    private async Task AnsweredAsync(string? code, string bundle = "acme-3")
    {
        var report = await VerifyAsync(Path.Combine(_locker, bundle));
        Assert.Equal(code is null ? [] : [code], report.Problems.Select(p => p.Code).Distinct());
        Assert.Equal(code is null ? VerifyAnswer.Holds : VerifyAnswer.Fails, report.Answer);
    }
}
