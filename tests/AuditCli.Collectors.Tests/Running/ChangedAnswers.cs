using AuditCli.Tests;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>
/// Changes honest answers one at a time and asks again: an answer that was changed is complete only with the rows of the honest one. Ten thousand
/// changes in the long run.
/// </summary>
/// <param name="rows">The rows of an operation as it is answered now; null where it is not complete.</param>
internal sealed class ChangedAnswers(ITestOutputHelper output, Func<string, Task<string?>> rows)
{
    private const int Seed = 20261129;
    private IReadOnlyList<string> _pages = [];
    private Mutation? _mutation;

    /// <summary>Body and status of a page, counted from 0, as a server answers it now.</summary>
    public (string Body, int Status) Page(int page) => _mutation?.Page == page ? (_mutation.Body, _mutation.Status) : (_pages[page], 200);

    /// <param name="lists">Each with the pages of its honest answer.</param>
    /// <param name="change">One change of a list, drawn by lot.</param>
    /// <param name="isHonest">Whether what came out is another honest answer, of which nothing is to be said.</param>
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
