using System.IO.Compression;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Commands;

/// <summary>Checks that every command explains what a wrong BUNDLE argument is and what to do next.</summary>
public sealed class BundleArgumentTests(SampleRun sample) : IClassFixture<SampleRun>
{
    public static TheoryData<string> Commands => ["verify", "show", "query", "diff", "report", "reperform", "seal"];

    private string Name => Path.GetFileName(sample.Bundle);

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_path_where_nothing_is_is_no_link_and_the_bundles_beside_it_are_named(string command)
    {
        var result = await RunAsync(command, Path.Combine(sample.Folder, "nosuch"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("there is no bundle ", result.Error, StringComparison.Ordinal);
        Assert.Contains($"the same folder contains {sample.Bundle}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("link", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_folder_that_holds_bundles_is_no_bundle_and_the_bundle_is_named(string command)
    {
        var result = await RunAsync(command, sample.Folder);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains($"is not a bundle but contains bundles; name one of them: {sample.Bundle}", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Theory]
    [InlineData("show")]
    [InlineData("query")]
    [InlineData("diff")]
    [InlineData("report")]
    [InlineData("reperform")]
    public async Task A_file_that_is_no_archive_of_a_bundle_is_not_unpacked(string command)
    {
        using var folder = new TemporaryFolder();
        var result = await RunAsync(command, folder.Write("bundle.zip", "PK"));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("bundle.zip cannot be unpacked: the archive ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_is_to_be_verified_and_unpacked_before_it_is_signed()
    {
        using var folder = new TemporaryFolder();
        var result = await RunAsync("seal", folder.Write("bundle.zip", "PK"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "is a file: seal works on a bundle's folder. Check the archive with 'auditcli verify', then unpack it",
            result.Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show")]
    [InlineData("query")]
    public async Task A_folder_of_other_things_is_said_to_be_none(string command)
    {
        using var folder = new TemporaryFolder();
        folder.Write("notes.txt", "nothing");
        var result = await RunAsync(command, folder.Path);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is not a bundle: it has neither bagit.txt nor data", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("__MACOSX/._bundle")]
    [InlineData("bundle/.DS_Store")]
    [InlineData("bundle/data/._run.json")]
    public async Task What_the_finder_adds_to_a_zip_is_named_in_one_line_with_the_way_out(string added)
    {
        using var folder = new TemporaryFolder();
        var archive = Zip(folder, "bundle", added);
        var result = await AuditCommand.RunAsync(folder.Path, "verify", archive, "--allow-unsigned");
        Assert.True(result.ExitCode == 2, result.ToString());
        var line = Assert.Single(result.Output.Split('\n'), l => l.StartsWith("UNEXPECTED_FILE", StringComparison.Ordinal));
        Assert.Contains($"{added}: 1 file of the archive (__MACOSX, .DS_Store or ._*) was added by macOS's Finder", line, StringComparison.Ordinal);
        Assert.Contains("zip -r -X", line, StringComparison.Ordinal);
        Assert.DoesNotContain("MISSING_FILE", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_below_the_top_of_its_archive_is_said_to_be_there()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(folder.Path, "verify", Zip(folder, $"bundles/{Name}", null), "--allow-unsigned");
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains($"bundles/{Name}: the bundle is in this folder of the archive, not at its top", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("MISSING_FILE", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_of_the_bundle_itself_still_verifies_and_a_settings_file_in_its_folder_is_explained()
    {
        using var folder = new TemporaryFolder();
        var archived = await AuditCommand.RunAsync(folder.Path, "verify", Zip(folder, Name, null), "--allow-unsigned");
        Assert.True(archived.ExitCode == 0, archived.ToString());
        var copy = BundleForgery.Copy(sample.Bundle, folder.Path);
        await File.WriteAllTextAsync(Path.Combine(copy, ".DS_Store"), "x");
        var looked = await AuditCommand.RunAsync(folder.Path, "verify", copy, "--allow-unsigned");
        Assert.Equal(2, looked.ExitCode);
        Assert.Contains(
            ".DS_Store: is in no manifest; macOS's Finder leaves it in folders that it shows: delete it and verify again",
            looked.Output,
            StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(string command, string bundle) => AuditCommand.RunAsync(sample.Folder, command switch
    {
        "diff" => ["diff", bundle, sample.Bundle],
        "report" => ["report", bundle, "--format", "md"],
        "seal" => ["seal", bundle, "--sign", "key.pem"],
        _ => [command, bundle],
    });

    /// <summary>Packs the sample's bundle into a zip below that folder, with an additional file if a name is given.</summary>
    private string Zip(TemporaryFolder folder, string top, string? added)
    {
        var path = Path.Combine(folder.Path, "archive.zip");
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var file in Directory.EnumerateFiles(sample.Bundle, "*", SearchOption.AllDirectories))
            zip.CreateEntryFromFile(file, $"{top}/{Path.GetRelativePath(sample.Bundle, file).Replace('\\', '/')}", CompressionLevel.Fastest);
        if (added is not null)
        {
            using var writer = new StreamWriter(zip.CreateEntry(added).Open());
            writer.Write("what the Finder writes");
        }
        return path;
    }
}
