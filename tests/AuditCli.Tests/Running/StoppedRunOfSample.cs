using System.Text;
using System.Text.RegularExpressions;

namespace AuditCli.Tests.Running;

/// <summary>
/// A run of the sample that the search before sealing stopped, because one text in its recorded responses looks like a credential.
/// </summary>
public sealed partial class StoppedRunOfSample : IAsyncLifetime, IDisposable
{
    private const string Secret = "password=Hunter2abcd";
    private readonly TemporaryFolder _folder = new();

    public string Partial { get; private set; } = "";

    public CommandResult Result { get; private set; } = new(0, "", "");

    public async Task InitializeAsync()
    {
        Write(_folder.Path);
        Result = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--control", "APD-AWS-002", "--out", "out");
        Assert.True(Result.ExitCode == 1, Result.ToString());
        Partial = Directory.GetDirectories(Path.Combine(_folder.Path, "out")).Single();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    /// <summary>Copies the folder that the run left into <c>out</c> of another folder, under the same name.</summary>
    public string CopyTo(string folder) => BundleForgery.Copy(Partial, Path.Combine(folder, "out"));

    /// <summary>Writes the sample with that text into a folder.</summary>
    public static void Write(string folder)
    {
        _ = SampleFiles.CopyTo(folder);
        var user = "";
        BundleForgery.EditExchanges(Path.Combine(folder, "exchanges", "prod", "iam-aws-global.warc.gz"), record =>
        {
            var text = Encoding.UTF8.GetString(record.Block.Span);
            if (!text.Contains("<ListUsersResponse", StringComparison.Ordinal))
                return record;
            user = UserIds().Match(text).Groups[1].Value;
            Assert.Equal(Secret.Length, user.Length);
            return BundleForgery.WithBody(record, user, Secret, honest: true);
        });
    }

    [GeneratedRegex("<UserId>([^<]+)</UserId>")]
    private static partial Regex UserIds();
}
