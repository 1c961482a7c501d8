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
}
