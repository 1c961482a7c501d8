using AuditCli.Tests;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>
/// Makes one change at a time to valid responses and collects again. A changed response may be complete only with the rows of the valid
/// one. Ten thousand changes in the long run.
/// </summary>
/// <param name="rows">Collects an operation and returns its rows; null if they are not complete.</param>
internal sealed class ChangedAnswers(ITestOutputHelper output, Func<string, Task<string?>> rows)
{
    private const int Seed = 20261129;
    private IReadOnlyList<string> _pages = [];
    private Mutation? _mutation;

    /// <summary>Returns the current body and status of a page, counted from 0.</summary>
    public (string Body, int Status) Page(int page) => _mutation?.Page == page ? (_mutation.Body, _mutation.Status) : (_pages[page], 200);

    /// <param name="lists">Each list with the pages of its valid response.</param>
    /// <param name="change">Returns a random change of a list.</param>
    /// <param name="isHonest">Whether the result of a change is another valid response, which is not compared.</param>
    public async Task AreCompleteOnlyWithTheSameRowsAsync<T>(
        IReadOnlyList<T> lists, Func<T, (string Operation, IReadOnlyList<string> Pages)> of, Func<Random, T, Mutation> change, Func<T, Mutation, bool> isHonest)
    {
        var lot = new Random(Seed);
        var read = new string?[lists.Count];
        var (complete, tried) = (0, LongRun.IsWhole ? 10_000 : 300);
        for (var n = 0; n < tried; n++)
        {
            var which = lot.Next(lists.Count);
            var (operation, honest) = of(lists[which]);
            (_pages, _mutation) = (honest, null);
            var whole = read[which] ??= await rows(operation);
            Assert.NotNull(whole);
            _mutation = change(lot, lists[which]);
            if (isHonest(lists[which], _mutation))
                continue;
            if (await rows(operation) is { } found)
            {
                complete++;
                Assert.True(whole == found, $"{operation}, {_mutation}");
            }
        }

        Assert.InRange(complete, 1, tried / 2);
        output.WriteLine($"{tried} changes, {complete} of them complete with the same rows");
    }
}
