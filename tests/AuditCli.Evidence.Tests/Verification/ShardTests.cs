using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Verification;

/// <summary>A sealed bundle over two sealed bundles, and these two.</summary>
public sealed class TwoShards : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string First { get; private set; } = "";

    public string Second { get; private set; } = "";

    public string Whole { get; private set; } = "";

    public async Task InitializeAsync()
    {
        (First, Second) = (await Layers.ShardAsync(_folder.Path, "one"), await Layers.ShardAsync(_folder.Path, "two"));
        Whole = await Layers.SealAsync(_folder.Path, "whole", [First, Second]);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}

/// <summary>Verifies bundles that are made of sealed bundles.</summary>
public sealed class ShardTests(TwoShards made) : IClassFixture<TwoShards>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Tampering => [.. TamperTests.Cases.Keys];

    /// <summary>The cases that an archive of regular files can hold, and that leave the digest that the list of shards states.</summary>
    public static TheoryData<string> TamperingWithFiles =>
    [
        .. TamperTests.Cases.Keys.Where(n => n is not ("F11 empty folder" or "M05 no tag manifest")
            && !n.Contains("link", StringComparison.Ordinal) && !n.Contains("pipe", StringComparison.Ordinal)),
    ];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Tampering))]
    public async Task Tampering_with_the_outer_bundle_fails_as_it_does_without_shards(string name)
    {
        var bundle = Copy(made.Whole);
        TamperTests.Cases[name].Tamper(bundle);
        var report = await Layers.VerifyAsync(bundle);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        // The tamper list lowers the totals of a bundle by one file, which a shard that is no longer listed does as well.
        Assert.Contains(report.Problems, p => p.Code == TamperTests.Cases[name].Code || p.Question == VerifyQuestion.Shards);
    }

    [Theory]
    [MemberData(nameof(TamperingWithFiles))]
    public async Task Tampering_with_a_shard_fails_although_the_bundle_around_it_was_sealed_over_it(string name)
    {
        var (bundle, first) = (Copy(made.Whole), Copy(made.First));
        TamperTests.Cases[name].Tamper(first);
        Layers.Replace(bundle, first);
        var report = await Layers.VerifyAsync(bundle);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        Assert.Contains(report.Problems, p => p.Question == VerifyQuestion.Shards && p.Path.StartsWith("data/shards/one.tar", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("tar")]
    [InlineData("zip, stored")]
    [InlineData("zip, compressed")]
    public async Task A_bundle_of_two_is_whole_in_a_folder_and_in_an_archive(string form)
    {
        var bundle = Copy(made.Whole);
        var report = await Layers.VerifyAsync(Packed(bundle, form));
        Assert.Empty(report.Problems);
        Assert.Equal("2 of 2 are here, each whole and of this engagement", report.Lines.Single(l => l.Question == VerifyQuestion.Shards).Detail);
    }

    [Fact]
    public async Task Any_changed_byte_of_a_shard_is_found_in_it_and_in_the_bundle_around_it()
    {
        var bundle = Copy(made.Whole);
        var archive = Path.Combine(bundle, "data", "shards", "one.tar");
        var original = File.ReadAllBytes(archive);
        var random = new Random(11);
        for (var round = 0; round < 30; round++)
        {
            var changed = (byte[])original.Clone();
            changed[random.Next(changed.Length)] ^= (byte)random.Next(1, 256);
            File.WriteAllBytes(archive, changed);
            Assert.Contains(("CONTENT_MODIFIED", "data/shards/one.tar"), (await Layers.VerifyAsync(bundle)).Problems.Select(p => (p.Code, p.Path)));
        }
    }

    [Theory]
    [InlineData("missing", "MISSING_FILE")]
    [InlineData("unlisted", "SHARD_UNLISTED")]
    [InlineData("twice", "JSON_MALFORMED")]
    [InlineData("a unit twice", "JSON_MALFORMED")]
    [InlineData("another bundle of the same name", "SHARD_OTHER")]
    [InlineData("signed, but listed as unsigned", "SHARD_OTHER")]
    [InlineData("no list", "SHARD_UNLISTED")]
    [InlineData("another member", "JSON_MALFORMED")]
    [InlineData("a path as its id", "JSON_MALFORMED")]
    [InlineData("not an archive", "CONTAINER_UNSAFE")]
    public async Task A_shard_that_is_not_the_listed_one_fails(string fault, string code)
    {
        var (first, second) = (made.First, made.Second);
        using var key = SigningKey.Create();
        if (fault.StartsWith("signed", StringComparison.Ordinal))
            first = await Layers.ShardAsync(_folder.Path, "signed", new(key, null, null, [], (_, _, _) => Task.FromResult<byte[]>([])));
        var bundle = await Layers.SealAsync(_folder.Path, "whole", [first, second], shards => fault switch
        {
            "unlisted" => [shards[0]],
            "twice" => [shards[0], shards[0]],
            "a unit twice" => [shards[0], shards[1] with { Units = shards[0].Units }],
            "another bundle of the same name" => [shards[0] with { TagManifest = Digest.Of([]) }, shards[1]],
            "signed, but listed as unsigned" => [shards[0] with { Statement = null, Signer = null }, shards[1]],
            _ => shards,
        });
        var list = Path.Combine(bundle, "data", "shards.jsonl");
        switch (fault)
        {
            case "missing":
                File.Delete(Path.Combine(bundle, "data", "shards", "one.tar"));
                break;
            case "no list":
                File.Delete(list);
                break;
            case "another member":
                File.WriteAllText(list, File.ReadAllText(list).Replace("\"bytes\"", "\"trusted\":true,\"bytes\"", StringComparison.Ordinal));
                break;
            case "a path as its id":
                File.WriteAllText(list, File.ReadAllText(list).Replace("\"one\"", "\"../one\"", StringComparison.Ordinal));
                break;
            case "not an archive":
                File.WriteAllText(Path.Combine(bundle, "data", "shards", "one.tar"), "not an archive");
                break;
            default:
                break;
        }
        Samples.Reseal(bundle);
        var report = await Layers.VerifyAsync(bundle);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        Assert.Contains(code, report.Problems.Where(p => p.Question == VerifyQuestion.Shards).Select(p => p.Code));
    }

    [Theory]
    [InlineData("the owner's name", 265, "hidden")]
    [InlineData("the group's id", 116, "0001750")]
    [InlineData("the mode", 100, "0000644")]
    [InlineData("the time", 136, "14000000000")]
    [InlineData("the device", 329, "1234567")]
    [InlineData("zeros after the end", -1, "")]
    [InlineData("another tar", -2, "")]
    public async Task A_shard_whose_headers_hold_something_else_fails_although_its_files_are_those_that_were_sealed(string what, int at, string text)
    {
        var bundle = Copy(made.Whole);
        var archive = Path.Combine(bundle, "data", "shards", "one.tar");
        var content = File.ReadAllBytes(archive);
        if (at >= 0)
        {
            Encoding.ASCII.GetBytes(text, content.AsSpan(at));
            Encoding.ASCII.GetBytes("        ", content.AsSpan(148));
            var sum = content.AsSpan(0, 512).ToArray().Sum(b => b);
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", content.AsSpan(148));
        }
        File.WriteAllBytes(archive, at == -1 ? [.. content, .. new byte[512]] : content);
        if (at == -2)
        {
            using var tar = new System.Formats.Tar.TarWriter(File.Create(archive), System.Formats.Tar.TarEntryFormat.Ustar);
            foreach (var file in Directory.GetFiles(made.First, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                tar.WriteEntry(file, Path.GetRelativePath(Path.GetDirectoryName(made.First)!, file));
        }
        var list = Path.Combine(bundle, "data", "shards.jsonl");
        File.WriteAllBytes(list, ShardList.Write(ShardList.Read(File.ReadAllBytes(list)).Select(s =>
            s.BundleId == "one" ? s with { Bytes = new FileInfo(archive).Length } : s)));
        Samples.Reseal(bundle);
        var report = await Layers.VerifyAsync(bundle);
        Assert.True(report.Answer == VerifyAnswer.Fails, what);
        Assert.Equal(["CONTAINER_UNSAFE"], report.Problems.Where(p => p.Path == "data/shards/one.tar").Select(p => p.Code));
    }

    [Fact]
    public async Task A_shard_of_another_question_fails()
    {
        await using var other = BundleWriter.Create(_folder.Path, "other");
        await other.WriteFileAsync("data/run.json", "{\"mode\":\"live\"}"u8.ToArray(), default);
        await other.WriteFileAsync("data/controls/apd-aws-002.yaml", "id: APD-AWS-002 # easier\n"u8.ToArray(), default);
        await other.AppendEvidenceAsync(Samples.Item("prod", "aws-iam-listusers-0123456789ab"), default);
        var foreign = (await other.SealAsync(Samples.Info, default)).Path;
        var report = await Layers.VerifyAsync(await Layers.SealAsync(_folder.Path, "whole", [foreign]));
        Assert.Contains(
            ("SHARD_FOREIGN", "data/shards/other.tar/data/controls/apd-aws-002.yaml"), report.Problems.Select(p => (p.Code, p.Path)));
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
    }

    [Fact]
    public async Task An_input_that_is_not_the_same_in_every_shard_fails()
    {
        var bundle = Copy(made.Whole);
        var second = Copy(made.Second);
        File.WriteAllText(Path.Combine(second, "data", "inputs", "hr", "hr.csv"), "id\n3\n");
        Samples.Reseal(second);
        Layers.Replace(bundle, second);
        var report = await Layers.VerifyAsync(bundle);
        Assert.Contains(("SHARD_FOREIGN", "data/shards/two.tar/data/inputs/hr/hr.csv"), report.Problems.Select(p => (p.Code, p.Path)));
    }

    [Theory]
    [InlineData(false, VerifyAnswer.Fails)]
    [InlineData(true, VerifyAnswer.Holds)]
    public async Task Under_a_trusted_key_every_shard_must_be_signed(bool signed, VerifyAnswer expected)
    {
        using var key = SigningKey.Create();
        var request = new SigningRequest(key, null, null, [], (_, _, _) => Task.FromResult<byte[]>([]));
        var shard = await Layers.ShardAsync(_folder.Path, "one", signed ? request : null);
        var bundle = await Layers.SealAsync(_folder.Path, "whole", [shard], request: request);
        var report = await BundleVerifier.VerifyAsync(bundle, new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.PublicPem) }, default);
        Assert.Equal(expected, report.Answer);
        Assert.Equal(expected == VerifyAnswer.Fails, report.Problems.Any(p => p is { Question: VerifyQuestion.Shards, Code: "UNSIGNED" }));
    }

    [NeedsFact("sha256sum")]
    public async Task A_bag_with_holes_is_undecided_until_its_archives_are_there_and_nothing_is_fetched()
    {
        var bundle = await Layers.SealAsync(_folder.Path, "whole", [made.First, made.Second], elsewhere: "https://store.example/shards");
        // Those who copy a folder keep an empty one.
        Directory.CreateDirectory(Path.Combine(bundle, "data", "shards"));
        var holey = await Layers.VerifyAsync(bundle);
        Assert.Equal(VerifyAnswer.Undecided, holey.Answer);
        Assert.Equal(
            "SHARD_NOT_HERE data/shards.jsonl: 0 of 2 shards are here", holey.Lines.Single(l => l.Question == VerifyQuestion.Shards).Detail);
        Directory.CreateDirectory(Path.Combine(bundle, "data", "shards"));
        File.Copy(Path.Combine(_folder.Path, "archives", "one.tar"), Path.Combine(bundle, "data", "shards", "one.tar"));
        Assert.Contains("1 of 2 shards are here", (await Layers.VerifyAsync(bundle)).Problems.Select(p => p.Message));
        File.Copy(Path.Combine(_folder.Path, "archives", "two.tar"), Path.Combine(bundle, "data", "shards", "two.tar"));
        Assert.Empty((await Layers.VerifyAsync(bundle)).Problems);
        Assert.Contains("data/shards/two.tar: OK", Sha256Sum(bundle), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://store.example/x 1 ../../etc/passwd\n", "MANIFEST_UNSAFE_PATH")]
    [InlineData("https://store.example/x 1 /etc/passwd\n", "MANIFEST_UNSAFE_PATH")]
    [InlineData("https://store.example/x 1 data/results/results.json\n", "MANIFEST_UNSAFE_PATH")]
    [InlineData("https://store.example/x 1 data/shards/unknown.tar\n", "MANIFEST_MALFORMED")]
    [InlineData("file:///etc/passwd 1 data/shards/one.tar\n", "MANIFEST_MALFORMED")]
    [InlineData("http://169.254.169.254/latest 1 data/shards/one.tar\n", "MANIFEST_MALFORMED")]
    [InlineData("https://user:secret@store.example/x 1 data/shards/one.tar\n", "MANIFEST_MALFORMED")]
    [InlineData("https://store.example/x?token=secret 1 data/shards/one.tar\n", "MANIFEST_MALFORMED")]
    [InlineData("https://store.example/x - data/shards/one.tar\n", "MANIFEST_MALFORMED")]
    [InlineData("https://store.example/x 1 data/shards/one.tar", "MANIFEST_MALFORMED")]
    [InlineData("https://store.example/x 1 data/shards/one.tar\nhttps://store.example/y 1 data/shards/one.tar\n", "MANIFEST_DUPLICATE")]
    public async Task A_list_of_what_is_elsewhere_that_leads_out_of_the_bundle_fails(string fetch, string code)
    {
        var bundle = Copy(made.Whole);
        File.WriteAllText(Path.Combine(bundle, "fetch.txt"), fetch);
        var files = new[] { "bag-info.txt", "bagit.txt", "fetch.txt", "manifest-sha256.txt" };
        File.WriteAllText(Path.Combine(bundle, "tagmanifest-sha256.txt"), string.Concat(files.Select(f => Samples.Line(bundle, f))));
        var report = await Layers.VerifyAsync(bundle);
        Assert.Equal(VerifyAnswer.Fails, report.Answer);
        Assert.Contains((code, "fetch.txt"), report.Problems.Select(p => (p.Code, p.Path)));
    }

    [Theory]
    [InlineData(1, VerifyAnswer.Holds)]
    [InlineData(2, VerifyAnswer.Holds)]
    [InlineData(3, VerifyAnswer.Fails)]
    public async Task Bundles_enclose_each_other_twice_and_not_more(int times, VerifyAnswer expected)
    {
        var bundle = await Layers.ShardAsync(_folder.Path, "one");
        for (var n = 0; n < times; n++)
            bundle = await Layers.SealAsync(_folder.Path, $"layer{n}", [bundle]);
        var report = await Layers.VerifyAsync(bundle);
        Assert.Equal(expected, report.Answer);
        Assert.Equal(expected == VerifyAnswer.Fails, report.Problems.Any(p => p is { Question: VerifyQuestion.Shards, Code: "LIMIT_EXCEEDED" }));
    }

    [Fact]
    public async Task An_archive_that_grows_a_hundredfold_inside_a_zip_is_not_unpacked()
    {
        var bundle = Copy(made.Whole);
        var archive = Path.Combine(bundle, "data", "shards", "one.tar");
        File.WriteAllBytes(archive, new byte[4 << 20]);
        Samples.Reseal(bundle);
        var report = await Layers.VerifyAsync(Packed(bundle, "zip, compressed"));
        Assert.Contains(("CONTAINER_UNSAFE", "whole/data/shards/one.tar"), report.Problems.Select(p => (p.Code, p.Path)));
    }

    [Fact]
    public void A_list_is_read_as_it_was_written()
    {
        Shard[] shards =
        [
            new("b-1", Digest.Of([1]), null, null, [new("prod", "111122223333"), new("prod", "444455556666")], Layers.Started, Layers.Started, 1024),
            new("b-2", Digest.Of([2]), Digest.Of([3]), Digest.Of([4]), [], Layers.Started, Layers.Started.AddTicks(1), 0),
        ];
        var written = ShardList.Write(shards);
        Assert.Equal(written, ShardList.Write(ShardList.Read(written)));
        Assert.Equal(2, Encoding.UTF8.GetString(written).Count(c => c == '\n'));
    }

    private string Copy(string bundle)
    {
        var copy = Path.Combine(_folder.Path, Path.GetFileName(bundle));
        Samples.Copy(bundle, copy);
        return copy;
    }

    private static string Packed(string bundle, string form)
    {
        var name = Path.GetFileName(bundle);
        switch (form)
        {
            case "tar":
                return Layers.Archive(bundle, $"{bundle}.packed.tar");
            case "folder":
                return bundle;
            default:
                var zip = $"{bundle}.zip";
                ZipFile.CreateFromDirectory(
                    bundle, zip, form == "zip, stored" ? CompressionLevel.NoCompression : CompressionLevel.Optimal, includeBaseDirectory: true);
                return zip;
        }
    }

    private static string Sha256Sum(string bundle)
    {
        using var sum = Process.Start(new ProcessStartInfo("sha256sum", ["--check", "--strict", "manifest-sha256.txt"])
        {
            WorkingDirectory = bundle,
            RedirectStandardOutput = true,
        })!;
        var said = sum.StandardOutput.ReadToEnd();
        sum.WaitForExit();
        Assert.Equal(0, sum.ExitCode);
        return said;
    }
}
