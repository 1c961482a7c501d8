using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence.Attestation;

namespace AuditCli.Tests.Commands;

/// <summary>Tests how a concluded bundle is signed and archived.</summary>
public sealed class ConcludeSealTests(AskedBundle asked) : IClassFixture<AskedBundle>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_signature_over_a_bundle_without_one_is_refused_with_the_next_step()
    {
        using var key = SigningKey.Create();
        _folder.Write("key.pem", key.PrivatePem(null));
        var refused = await ConcludeAsync("--sign", "key.pem");
        Assert.Equal((3, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("the collected bundle is not signed, so nothing was concluded", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"next: auditcli seal {asked.Bundle} --sign KEY, then conclude again; or --allow-unsigned", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "out")));

        _folder.Write("key.pub", key.PublicPem);
        var trusted = await ConcludeAsync("--sign", "key.pem", "--trust", "key.pub");
        Assert.True(trusted is { ExitCode: 2, Output: "" }, trusted.ToString());
        Assert.Contains("next: auditcli seal ", trusted.Error, StringComparison.Ordinal);

        var allowed = await ConcludeAsync("--sign", "key.pem", "--allow-unsigned");
        Assert.True(allowed.ExitCode == 0, allowed.ToString());
        Assert.Contains("is not signed, so 'auditcli verify --trust' will never hold", allowed.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--archive --sign key.pem --locker locker", "--archive and --locker exclude each other")]
    [InlineData("--archive --sheets more", "--archive is of the new bundle")]
    public async Task An_archive_that_cannot_be_written_is_refused_before_anything_is(string options, string because)
    {
        using var key = SigningKey.Create();
        _folder.Write("key.pem", key.PrivatePem(null));
        var words = options.Split(' ');
        var refused = words.Contains("--sheets")
            ? await AuditCommand.RunAsync(_folder.Path, ["conclude", asked.Bundle, .. words])
            : await ConcludeAsync(words);
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(because, refused.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(_folder.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_archive_the_new_bundle_is_one_file_that_every_command_reads(bool json)
    {
        var done = await ConcludeAsync(["--allow-unsigned", "--archive", .. json ? ["--output", "json"] : Array.Empty<string>()]);
        Assert.True(done.ExitCode == 0, done.ToString());
        var archive = Assert.Single(Directory.GetFileSystemEntries(Path.Combine(_folder.Path, "out")));
        Assert.EndsWith(".tar", archive, StringComparison.Ordinal);
        if (json)
            Assert.Equal(archive, JsonElement.Parse(done.Output).GetProperty("bundle").GetString());
        else
            Assert.Contains($"bundle {archive}", done.Output, StringComparison.Ordinal);
        foreach (var command in new string[][] { ["verify", archive, "--allow-unsigned"], ["reperform", archive, "--allow-unsigned"], ["show", archive] })
        {
            var read = await AuditCommand.RunAsync(_folder.Path, command);
            Assert.True(read.ExitCode == 0, read.ToString());
        }
    }

    public void Dispose() => _folder.Dispose();

    private Task<CommandResult> ConcludeAsync(params string[] options)
    {
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        var sheet = _folder.Write("answers.csv", asked.Fill("answers.csv", ("OPS-XSR-901,H1", $"yes,ticket 7,,A. Preparer,{now}")));
        string[] place = options.Contains("--locker") ? [] : ["--out", "out"];
        return AuditCommand.RunAsync(_folder.Path, ["conclude", asked.Bundle, "--sheet", sheet, .. place, .. options]);
    }
}
