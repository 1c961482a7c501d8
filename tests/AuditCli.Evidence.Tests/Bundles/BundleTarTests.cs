using System.Formats.Tar;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>Checks archives of bundles with readers that are not the project's own.</summary>
public sealed class BundleTarTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_archive_of_a_folder_and_of_an_archive_of_it_are_the_same_bytes_and_verify()
    {
        var bundle = (await Samples.SealAsync(_folder.Path)).Path;
        var first = Tar(bundle, "first");
        Directory.SetLastWriteTimeUtc(bundle, DateTime.UnixEpoch);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(Tar(first, "second")));
        Assert.Equal(VerifyAnswer.Holds, (await Samples.VerifyAsync(first)).Answer);
    }

    [Fact]
    public void Names_of_every_length_are_those_that_other_readers_see()
    {
        var bundle = Path.Combine(_folder.Path, "b");
        string[] paths =
        [
            "data/short", $"data/{new string('n', 95)}", $"data/{new string('n', 96)}", $"data/{new string('d', 90)}/{new string('n', 90)}",
            $"data/{new string('n', 190)}", $"data/{new string('d', 160)}/n",
        ];
        foreach (var path in paths)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(bundle, path))!);
            File.WriteAllText(Path.Combine(bundle, path), path);
        }
        using var tar = new TarReader(File.OpenRead(Tar(bundle, "long")));
        var read = new List<string>();
        while (tar.GetNextEntry() is { } entry)
        {
            using var content = new StreamReader(entry.DataStream!);
            Assert.Equal(entry.Name, $"b/{content.ReadToEnd()}");
            read.Add(entry.Name["b/".Length..]);
        }
        Assert.Equal(paths.Order(StringComparer.Ordinal), read);
    }

    [NeedsFact("tar")]
    public async Task Gnu_tar_unpacks_what_was_packed()
    {
        var bundle = (await Samples.SealAsync(_folder.Path)).Path;
        var to = Directory.CreateDirectory(Path.Combine(_folder.Path, "unpacked")).FullName;
        using var tar = System.Diagnostics.Process.Start("tar", ["-xf", Tar(bundle, "packed"), "-C", to]);
        await tar.WaitForExitAsync();
        Assert.Equal(0, tar.ExitCode);
        var unpacked = Path.Combine(to, Path.GetFileName(bundle));
        Assert.Equal(Files(bundle), Files(unpacked));
        Assert.Empty((await Samples.VerifyAsync(unpacked)).Problems);
    }

    [Fact]
    public void What_is_no_regular_file_is_not_packed()
    {
        var bundle = Directory.CreateDirectory(Path.Combine(_folder.Path, "b")).FullName;
        PosixFiles.MakePipe(Path.Combine(bundle, "pipe"));
        Assert.Contains("pipe is not a regular file", Assert.Throws<InvalidDataException>(() => Tar(bundle, "none")).Message, StringComparison.Ordinal);
    }

    private static string[] Files(string folder) =>
        [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => $"{Path.GetRelativePath(folder, f)} {Digest.Of(File.ReadAllBytes(f))}")];

    private string Tar(string bundle, string name)
    {
        var path = Path.Combine(_folder.Path, $"{name}.tar");
        using var file = File.Create(path);
        BundleTar.Write(bundle, Path.GetFileName(Directory.Exists(bundle) ? bundle : "acme-2026"), file, default);
        return path;
    }
}
