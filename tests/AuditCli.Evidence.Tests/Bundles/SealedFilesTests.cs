using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>
/// Checks that the content read from a sealed file always matches its manifest, however and whenever the file is changed.
/// </summary>
public sealed class SealedFilesTests : IDisposable
{
    private const string Large = "data/large.bin";
    private const string Small = "data/small.txt";
    private const int Length = 1_000_000;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The ways to change a file after half of it was read.</summary>
    public static TheoryData<string> Changes => ["overwritten", "replaced", "cut", "emptied", "removed", "longer"];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_large_file_that_changes_while_it_is_read_never_gives_other_content(string change)
    {
        var bundle = await BundleAsync();
        var files = SealedFiles.Open(bundle);
        var content = Content();
        using var stream = files.OpenFile(Large);
        var read = new byte[Length];
        stream.ReadExactly(read, 0, Length / 2);
        var path = Path.Combine(bundle, Large);
        switch (change)
        {
            case "overwritten":
                using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                    file.Write(new byte[Length]);
                break;
            case "replaced":
                File.WriteAllBytes(path + ".other", new byte[Length]);
                File.Move(path + ".other", path, overwrite: true);
                break;
            case "cut" or "emptied":
                using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                    file.SetLength(change == "cut" ? Length - 1 : 0);
                break;
            case "removed":
                File.Delete(path);
                break;
            default:
                await File.AppendAllTextAsync(path, "more");
                break;
        }
        var rest = 0;
        var fault = Record.Exception(() =>
        {
            for (int more; (more = stream.Read(read, Length / 2 + rest, Length - Length / 2 - rest)) > 0;)
                rest += more;
        });
        Assert.Equal(content[..(Length / 2 + rest)], read[..(Length / 2 + rest)]);
        // An open file stays readable after its name is gone, and bytes beyond its sealed length are not read.
        if (change is "replaced" or "removed" or "longer")
            Assert.Equal(Length - Length / 2, rest);
        else
            Assert.Contains(Large, Assert.IsType<InvalidDataException>(fault).Message, StringComparison.Ordinal);
        // Opening the file again gives the fault, or the sealed content.
        using var again = new MemoryStream();
        fault = Record.Exception(() =>
        {
            using var file = files.OpenFile(Large);
            file.CopyTo(again);
        });
        Assert.Equal(change == "longer", fault is null);
        Assert.Equal(content[..(int)again.Length], again.ToArray());
    }

    [Fact]
    public async Task A_large_file_is_read_from_anywhere_as_it_was_sealed()
    {
        var files = SealedFiles.Open(await BundleAsync());
        var content = Content();
        using var stream = files.OpenFile(Large);
        Assert.Equal(Length, stream.Length);
        foreach (var at in new[] { 0, 131_071, 131_072, 131_073, 600_000, Length - 1, 5 })
        {
            stream.Position = at;
            var read = new byte[Math.Min(200_000, Length - at)];
            stream.ReadExactly(read);
            Assert.Equal(content[at..(at + read.Length)], read);
        }
        stream.Position = Length;
        Assert.Equal(0, stream.Read(new byte[1]));
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task A_file_that_was_changed_before_is_never_opened(string file)
    {
        var bundle = await BundleAsync();
        var files = SealedFiles.Open(bundle);
        var path = Path.Combine(bundle, file);
        var content = File.ReadAllBytes(path);
        content[^1] ^= 1;
        File.WriteAllBytes(path, content);
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => files.OpenFile(file)).Message, StringComparison.Ordinal);
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => files.Read(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_that_takes_the_place_of_the_verified_one_is_not_opened()
    {
        var verified = (await BundleVerifier.VerifyAsync(await BundleAsync(), new(AllowUnsigned: true), CancellationToken.None)).TagManifestSha256;
        Assert.NotNull(verified);
        var other = await BundleAsync("other content");
        var refused = Assert.Throws<InvalidDataException>(() => SealedFiles.Open(other, verified));
        Assert.Contains("replaced in the meantime", refused.Message, StringComparison.Ordinal);
        Assert.Equal(verified, SealedFiles.Open(await BundleAsync(), verified).TagManifestSha256);
    }

    private static byte[] Content() => [.. Enumerable.Range(0, Length).Select(i => (byte)((i * 31 + (i >> 8)) % 256))];

    private async Task<string> BundleAsync(string small = "small")
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, Path.GetRandomFileName())).FullName;
        await using var writer = BundleWriter.Create(folder, "sealed-files");
        await writer.WriteFileAsync(Large, Content(), CancellationToken.None);
        await writer.WriteFileAsync(Small, System.Text.Encoding.UTF8.GetBytes(small), CancellationToken.None);
        return (await writer.SealAsync(new("test 1", new DateOnly(2026, 11, 29), null), CancellationToken.None)).Path;
    }
}
