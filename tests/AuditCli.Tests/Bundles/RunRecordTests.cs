using System.Text;
using AuditCli.Bundles;

namespace AuditCli.Tests.Bundles;

/// <summary>A record that is not one is named by what is wrong with it, and nothing else of the program is shown.</summary>
public sealed class RunRecordTests
{
    [Theory]
    [InlineData("null", "it is not a JSON object")]
    [InlineData("[]", "it is not a JSON object")]
    [InlineData("{}", "it has no schema number")]
    [InlineData("""{"schema":"1"}""", "it has no schema number")]
    [InlineData("""{"schema":1e99}""", "it has no schema number")]
    [InlineData("""{"schema":2}""", "run.json has schema 2, but this version reads only 1")]
    [InlineData("""{"schema":1,"schema":1}""", "schema")]
    [InlineData("""{"schema":1,"targets":[null]}""", "targets[0] is null")]
    [InlineData("""{"schema":1,"inputs":[{"name":"a","x":[[1,null]]}]}""", "inputs[0].x[0][1] is null")]
    [InlineData("""{"schema":1,"bundle_id":null}""", "'bundle_id' does not have the form that it must have")]
    [InlineData("""{"schema":1,"period":7}""", "'period' does not have the form that it must have")]
    [InlineData("""{"schema":1,"bundle_id":"b"}""", "it lacks ")]
    public void What_is_wrong_with_it_is_said_in_the_words_of_the_file(string content, string said)
    {
        var refused = Assert.Throws<InvalidDataException>(() => RunRecord.Read(Encoding.UTF8.GetBytes(content)));
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AuditCli.", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Changes a valid record in one place; the schema of the file refuses each of them too.</summary>
    [Theory]
    [InlineData("\"bundle_id\":", "\"conclusion\":\"PASS\",\"bundle_id\":", "it has the unknown member 'conclusion'")]
    [InlineData("\"tool\":{", "\"tool\":{\"Name\":\"x\",", "it has the unknown member 'Name'")]
    [InlineData("\"clock_offset_seconds\":{", "\"clock_offset_seconds\":{\"a.example\":1e999", "the clock offset of a.example is not a number of seconds")]
    public void What_the_schema_does_not_know_is_refused(string from, string to, string said)
    {
        using var bundle = new TemporaryFolder();
        System.IO.Compression.ZipFile.ExtractToDirectory(Repository.Path("tests", "Shared", "bundles", "evaluation-1.zip"), bundle.Path);
        var text = File.ReadAllText(Assert.Single(Directory.GetFiles(bundle.Path, "run.json", SearchOption.AllDirectories)));
        Assert.Contains(from, text, StringComparison.Ordinal);
        _ = RunRecord.Read(Encoding.UTF8.GetBytes(text));
        var refused = Assert.Throws<InvalidDataException>(() => RunRecord.Read(Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal))));
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AuditCli.", refused.Message, StringComparison.Ordinal);
    }
}
