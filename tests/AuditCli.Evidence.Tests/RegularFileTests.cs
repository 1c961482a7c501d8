using AuditCli.Tests;

namespace AuditCli.Evidence.Tests;

/// <summary>Tests that only files are opened as files, and that nothing else stops the program without a word.</summary>
public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("file", false)]
    [InlineData("link to the file", false)]
    [InlineData("empty", false)]
    [InlineData("folder", false)]
    [InlineData("missing", false)]
    [InlineData("pipe", true)]
    [InlineData("link to the pipe", true)]
    [InlineData("/dev/zero", true)]
    public void A_pipe_or_device_is_refused_at_once_and_everything_else_fails_or_opens_as_ever(string name, bool isRefused)
    {
        var path = Path.Combine(_folder.Path, name);
        _folder.Write("file", "content");
        _folder.Write("empty", "");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "folder"));
        PosixFiles.MakePipe(Path.Combine(_folder.Path, "pipe"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "link to the file"), Path.Combine(_folder.Path, "file"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "link to the pipe"), Path.Combine(_folder.Path, "pipe"));

        Assert.Equal(isRefused, RegularFile.WhyNot(path) is not null);
        if (isRefused)
            Assert.Contains("not a regular file", Assert.Throws<IOException>(() => RegularFile.ReadAllBytes(path)).Message, StringComparison.Ordinal);
        else if (name.EndsWith("file", StringComparison.Ordinal))
            Assert.Equal("content", RegularFile.ReadAllText(path));
        else if (name == "missing")
            Assert.Throws<FileNotFoundException>(() => RegularFile.ReadAllBytes(path));
    }
}
