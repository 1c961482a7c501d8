using AuditCli.Collectors.Http;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Http;

/// <summary>The last look at files before they are sealed, by several workers at once.</summary>
public sealed class CredentialScanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_that_cannot_be_read_is_the_fault_that_it_is_and_not_one_of_the_workers()
    {
        _folder.Write("a.txt", "nothing");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "b.txt"), Path.Combine(_folder.Path, "nowhere"));
        Assert.Throws<FileNotFoundException>(() => CredentialScan.Find(_folder.Path, CancellationToken.None));
    }

    [Fact]
    public void A_search_that_is_cancelled_ends_as_cancelled()
    {
        _folder.Write("a.txt", "nothing");
        Assert.ThrowsAny<OperationCanceledException>(() => CredentialScan.Find(_folder.Path, new CancellationToken(canceled: true)));
    }
}
