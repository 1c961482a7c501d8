using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Running;

public sealed class RepeatedAnswersTests
{
    [Fact]
    public async Task Answers_that_are_written_at_the_same_time_are_read_back_each_by_itself()
    {
        using var folder = new TemporaryFolder();
        using (var file = new ScratchFile(folder.Path))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => WriteAndRead(file, n))));
            Assert.Equal(OperatingSystem.IsWindows() ? 1 : 0, Directory.GetFiles(folder.Path).Length);
        }
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_row_comes_back_as_the_source_wrote_it()
    {
        using var folder = new TemporaryFolder();
        using var file = new ScratchFile(folder.Path);
        using var answers = new RepeatedAnswers(file);
        var deep = string.Concat(Enumerable.Repeat("[", 500)) + string.Concat(Enumerable.Repeat("]", 500));
        var rows = new[] { "{ \"n\": 1.0e2,\n \"n\": \"\\ud800\" }", $$"""{"deep":{{deep}}}""" };
        answers.Begin(default);
        foreach (var row in rows)
            answers.Add("urn:x#/0", JsonElement.Parse(row, new JsonDocumentOptions { MaxDepth = 1000 }));
        answers.End(new(CollectionOutcome.Failed, null, JsonElement.Parse("{}")), 5);

        var read = new List<string>();
        var (end, count) = answers.Replay(default, (_, row) => read.Add(row.GetRawText()));

        Assert.Equal(rows, read);
        Assert.Equal((CollectionOutcome.Failed, null, 5L), (end.Outcome, end.Code, count));
    }

    private static void WriteAndRead(ScratchFile file, int n)
    {
        using var answers = new RepeatedAnswers(file);
        var keys = Enumerable.Range(0, 3).Select(i => new QuestionKey((UInt128)i, (UInt128)n)).ToArray();
        var rows = Enumerable.Range(0, 2000)
            .Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"writer":{{n}},"row":{{i}},"text":"{{new string('x', i % 300)}}"}""")).ToArray();
        foreach (var key in keys)
        {
            answers.Begin(key);
            foreach (var row in rows)
                answers.Add($"{n} {key.First}", JsonElement.Parse(row));
            answers.End(new(CollectionOutcome.Complete, $"{key.First}", JsonElement.Parse("{}")), rows.Length);
        }
        foreach (var key in keys.Reverse().Append(keys[0]))
        {
            var read = new List<string>();
            var (end, count) = answers.Replay(key, (reference, row) =>
            {
                Assert.Equal($"{n} {key.First}", reference);
                read.Add(row.GetRawText());
            });
            Assert.Equal(rows, read);
            Assert.Equal(($"{key.First}", rows.Length), (end.Code, count));
        }
    }
}
