using System.Formats.Tar;
using System.IO.Compression;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Bundles;

/// <summary>The sample's bundle in a folder, a tar and a compressed zip.</summary>
public sealed class ArchivedSample : IAsyncLifetime, IDisposable
{
    private readonly SampleRun _sample = new();

    public string Folder => _sample.Folder;

    public string Bundle => _sample.Bundle;

    public string Tar => Path.Combine(Folder, "bundle.tar");

    public string Zip => Path.Combine(Folder, "bundle.zip");

    public async Task InitializeAsync()
    {
        await _sample.InitializeAsync();
        TarFile.CreateFromDirectory(Bundle, Tar, includeBaseDirectory: true);
        ZipFile.CreateFromDirectory(Bundle, Zip, CompressionLevel.Fastest, includeBaseDirectory: true);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _sample.Dispose();
}

/// <summary>Checks that commands read an archive as they read the folder, without unpacking it.</summary>
public sealed class ArchivedBundleTests(ArchivedSample sample) : IClassFixture<ArchivedSample>
{
    public static TheoryData<string> Questions =>
    [
        "verify BUNDLE --allow-unsigned",
        "show BUNDLE",
        "show BUNDLE APD-AWS-001 --output json",
        "query BUNDLE \"SELECT control, item, verdict FROM results.items ORDER BY ALL\"",
        "report BUNDLE --format md",
        "coverage BUNDLE --framework cobit-2019",
        "reperform BUNDLE --allow-unsigned",
    ];

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task An_archive_gives_the_answer_of_its_folder(string question)
    {
        var folder = await AskAsync(question, sample.Bundle);
        Assert.NotEqual("", folder.Output);
        Assert.Equal(folder, await AskAsync(question, sample.Tar));
        Assert.Equal(folder, await AskAsync(question, sample.Zip));
    }

    [Fact]
    public async Task An_archive_and_its_folder_have_no_difference()
    {
        var result = await AuditCommand.RunAsync(sample.Folder, "diff", sample.Tar, sample.Bundle, "--allow-unsigned");
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    /// <summary>Asks a question about a bundle, whose path is then hidden, because it is all that may differ.</summary>
    private async Task<(int ExitCode, string Output)> AskAsync(string question, string bundle)
    {
        var words = question.Split('"') is [var before, var sql, ..]
            ? [.. before.Split(' ', StringSplitOptions.RemoveEmptyEntries), sql]
            : question.Split(' ');
        var result = await AuditCommand.RunAsync(sample.Folder, [.. words.Select(w => w == "BUNDLE" ? bundle : w)]);
        return (result.ExitCode, result.Output.Replace(bundle, "BUNDLE", StringComparison.Ordinal));
    }
}
