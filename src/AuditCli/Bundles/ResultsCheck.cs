using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Checks that the conclusions of <c>results.json</c> are ones that an evaluation of its own counts, rows and evidence can have, so that no
/// command prints a PASS that the bundle itself contradicts. It does not evaluate again, as <c>reperform</c> does.
/// </summary>
internal static class ResultsCheck
{
    /// <summary>Returns the first contradiction between conclusions, counts and the index of evidence; null if there is none.</summary>
    /// <param name="partitions">Returns a control's results by partition, as <see cref="OpenedBundle.Partitions"/> does.</param>
    public static string? WhyNot(
        EvaluationResults results, ImmutableArray<EvidenceItem> index, Func<ControlResult, IEnumerable<TestResult>> partitions)
    {
        var unread = index.Where(i => i.Outcome != CollectionOutcome.Complete)
            .SelectMany(i => i.Names.Select(n => (n.Control, n.Name, Item: i))).ToLookup(n => n.Control, StringComparer.Ordinal);
        foreach (var control in results.Controls)
        {
            if ((partitions(control).Select(t => WhyNot(control, t)).FirstOrDefault(w => w is not null) ?? WhyNot(control)) is { } wrong)
                return wrong;
            // Without a test there is nothing for which evidence could be missing.
            if (control.Tests.IsEmpty)
                continue;
            foreach (var (_, name, item) in unread[control.Id])
            {
                // A table whose failures were not recorded has a limitation of the account that was tested.
                if (!control.Limitations.Any(l =>
                    l.Evidence == name && (l.Code == LimitationCodes.Incomplete || l.Target == item.Target && l.Account == item.Account)))
                {
                    return $"{control.Id} has no limitation for {name}, but the index says that {item.Operation} in {Place(item.Target, item.Account)} is "
                        + $"{item.Outcome.ToString().ToLowerInvariant()} ({item.Code})";
                }
            }
        }
        return null;
    }

    /// <summary>
    /// Returns why the rows of a control's tests are not those of its results: another digest, other counts, or an account without a
    /// result. Null if they are.
    /// </summary>
    /// <exception cref="InvalidDataException">A file of rows is missing, is not the one that was sealed, or has a line that is not a row.</exception>
    public static string? WhyOtherRows(OpenedBundle bundle, ControlResult control)
    {
        foreach (var results in bundle.Partitions(control).GroupBy(t => t.Id, StringComparer.Ordinal))
        {
            var path = PopulationFile.PathOf(control.Id, results.Key);
            var found = new Dictionary<PartitionName, Found>();
            try
            {
                foreach (var (line, row) in bundle.Lines(control.Id, results.Key))
                {
                    var partition = new PartitionName(row.Target, row.Account);
                    if (!found.TryGetValue(partition, out var rows))
                        found[partition] = rows = new();
                    rows.Add(line, row.Verdict);
                }
                foreach (var result in results)
                {
                    var rows = found.GetValueOrDefault(result.Partition);
                    found.Remove(result.Partition);
                    // What lies elsewhere cannot be compared; the command says that it is missing.
                    if (rows is null && bundle.Files.Missing.Any())
                        continue;
                    using (rows)
                    {
                        // Without rows the digest is that of nothing, which a default value has without saying it.
                        if ((rows?.Sha256 ?? default) is var digest && digest.Hex != result.RowsSha256.Hex)
                        {
                            return $"{path} has other rows for {Place(result)} than were evaluated: their sha256 is {digest.Hex[..16]}, "
                                + $"and results.json says {result.RowsSha256.Hex[..16]}";
                        }
                        if (result.Error is null && !(rows ?? new()).Counts.SequenceEqual(Counts(result)))
                            return $"{path} has other counts of items for {Place(result)} than results.json says";
                    }
                }
                if (found.Count > 0)
                    return $"{path} has rows for {Place(found.Keys.First().Target, found.Keys.First().Account)}, for which results.json has no result";
            }
            finally
            {
                foreach (var rows in found.Values)
                    rows.Dispose();
            }
        }
        return null;
    }

    private static string? WhyNot(ControlResult control, TestResult test)
    {
        string Said(string but) => $"{control.Id} {test.Id} in {Place(test)} is {Word(test.Conclusion)}, but {but}";
        var failed = test.Deviations + test.Approved + test.Undetermined + test.Indicated;
        if (Counts(test).Any(n => n < 0) || failed > test.Population)
            return Said("its counts are not those of one population");
        if (test.Conclusion == Conclusion.Error != test.Error is not null)
            return Said(test.Error is null ? "no error is recorded" : "an error is recorded");
        switch (test.Conclusion)
        {
            case Conclusion.Pass or Conclusion.NoOccurrence:
                return test.Deviations > 0 ? Said(Items(test.Deviations, "failed without an approval"))
                    : test.Undetermined > 0 ? Said(Items(test.Undetermined, "could not be determined"))
                    : test.Indicated > 0 ? Said(Items(test.Indicated, "failed in incomplete evidence"))
                    : test.Completeness.FirstOrDefault(c => !c.Agree) is { } check ? Said($"its completeness check '{check.Name}' does not agree")
                    : test.Population == 0 && test.Conclusion == Conclusion.Pass ? Said("its population is empty")
                    : test.Population > 0 && test.Conclusion == Conclusion.NoOccurrence ? Said("it has a population")
                    : null;
            case Conclusion.Fail:
                return test.Deviations == 0 ? Said("none of its items failed without an approval") : null;
            case Conclusion.Inconclusive:
                return test.Deviations > 0 ? Said(Items(test.Deviations, "failed without an approval")) : null;
            case Conclusion.Error:
                return null;
            default:
                return Said("no test concludes so");
        }
    }

    private static string? WhyNot(ControlResult control)
    {
        string Said(string but) => $"{control.Id} is {Word(control.Conclusion)}, but {but}";
        if (control.Conclusion == Conclusion.NotApplicable || control.NotApplicable is not null)
        {
            return control.NotApplicable is null ? Said("nobody decided that")
                : control.Conclusion != Conclusion.NotApplicable || !control.Tests.IsEmpty ? Said("the engagement leaves it out")
                : null;
        }
        var tested = control.Tests.IsEmpty ? Conclusion.Inconclusive : control.Tests.Min(t => t.Conclusion);
        var isOpen = control.Conclusion == Conclusion.NeedsReview && tested is Conclusion.Pass or Conclusion.NoOccurrence;
        return control.Conclusion != tested && !isOpen ? Said($"its tests are {Word(tested)}")
            : tested is Conclusion.Pass or Conclusion.NoOccurrence && control.Deviations + control.Undetermined + control.Indicated > 0
                ? Said("it counts items that failed or could not be determined")
            : null;
    }

    private static ImmutableArray<long> Counts(TestResult test) => [test.Population, test.Deviations, test.Approved, test.Undetermined, test.Indicated];

    private static string Items(long count, string which) => string.Create(CultureInfo.InvariantCulture, $"{count} of its items {which}");

    private static string Place(TestResult test) => Place(test.Partition.Target, test.Partition.Account);

    private static string Place(string target, string account) => PrintableText.Of(account.Length == 0 ? "the inputs" : $"{target} {account}");

    private static string Word(Conclusion conclusion) => ControlWords.Of(ControlWords.Conclusions, conclusion);

    /// <summary>The digest and the counts of the rows of one partition.</summary>
    private sealed class Found : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly long[] _counts = new long[5];

        public IEnumerable<long> Counts => _counts;

        public Digest Sha256 => Digest.FromHash(_hash.GetCurrentHash());

        public void Add(ReadOnlyMemory<byte> line, ItemVerdict verdict)
        {
            _hash.AppendData(line.Span);
            _hash.AppendData("\n"u8);
            _counts[0]++;
            if (verdict != ItemVerdict.Pass)
                _counts[verdict switch { ItemVerdict.Deviation => 1, ItemVerdict.Approved => 2, ItemVerdict.Undetermined => 3, _ => 4 }]++;
        }

        public void Dispose() => _hash.Dispose();
    }
}
