using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Checks the rows of one control's tests: each by itself, against the register of approvals, and all against the counts of the results. It reads
/// every file once, and its memory does not grow with the population beyond <see cref="MostItems"/>.
/// </summary>
internal sealed class RowsCheck
{
    /// <summary>The number of items of a control of which it is remembered that they were counted, in any test.</summary>
    private const int MostItems = 1 << 20;

    private readonly OpenedBundle _bundle;
    private readonly ControlResult _control;
    private readonly ImmutableArray<TestResult> _parts;
    private readonly SealedApprovals? _approvals;
    private readonly bool _isCurrent;
    private readonly Dictionary<UInt128, Seen> _items = [];
    private readonly long[] _distinct = new long[5];
    private readonly HashSet<string> _failed = new(StringComparer.Ordinal);
    private bool _isWhole = true;

    /// <param name="approvals">The control's register; null where the control's file is not the one that concluded.</param>
    public RowsCheck(OpenedBundle bundle, ControlResult control, SealedApprovals? approvals)
    {
        (_bundle, _control, _approvals) = (bundle, control, approvals);
        _parts = [.. bundle.Partitions(control)];
        _isCurrent = bundle.Record.IsCurrent;
    }

    /// <summary>Returns the first contradiction; null if there is none.</summary>
    /// <exception cref="InvalidDataException">A file of rows is missing, is not the one that was sealed, or has a line that is not a row.</exception>
    public string? WhyNot()
    {
        foreach (var (number, results) in _parts.GroupBy(t => t.Id, StringComparer.Ordinal).Index())
        {
            if (WhyNot(number, results.Key, results.ToDictionary(t => t.Partition)) is { } wrong)
                return wrong;
        }
        return WhyOtherCounts() ?? WhyOtherApprovals();
    }

    private string? WhyNot(int number, string test, Dictionary<PartitionName, TestResult> results)
    {
        var path = PopulationFile.PathOf(_control.Id, test);
        var found = new Dictionary<PartitionName, Found>();
        try
        {
            foreach (var (line, row) in _bundle.Lines(_control.Id, test))
            {
                var partition = new PartitionName(row.Target, row.Account);
                if (!results.TryGetValue(partition, out var result))
                    return $"{path} has rows for {Place(partition)}, for which results.json has no result";
                if ((WhyNot(row) ?? Count(number, result, row)) is { } wrong)
                    return $"{path}:{row.Line} ({_control.Id} {test}, item '{PrintableText.Of(row.Item, 200)}' in {Place(partition)}): {wrong}";
                if (!found.TryGetValue(partition, out var rows))
                    found[partition] = rows = new();
                rows.Add(line, row.Verdict);
            }
            foreach (var (partition, result) in results)
            {
                var rows = found.GetValueOrDefault(partition);
                // Without rows the digest is that of nothing, which a default value has without saying it.
                if ((rows?.Sha256 ?? default) is var digest && digest.Hex != result.RowsSha256.Hex)
                {
                    return $"{path} has other rows for {Place(partition)} than were evaluated: their sha256 is {digest.Hex[..16]}, "
                        + $"and results.json says {result.RowsSha256.Hex[..16]}";
                }
                if (result.Error is null && !(rows?.Counts ?? new long[5]).SequenceEqual(ResultsCheck.Counts(result)))
                    return $"{path} has other counts of items for {Place(partition)} than results.json says";
            }
            return null;
        }
        finally
        {
            foreach (var rows in found.Values)
                rows.Dispose();
        }
    }

    /// <summary>Returns why a row contradicts itself or the register of approvals; null if it does not.</summary>
    private string? WhyNot(PopulationRow row)
    {
        var expected = row.Verdict switch
        {
            ItemVerdict.Pass => row.Passed == true,
            ItemVerdict.Undetermined => row.Passed is null,
            // A test may say itself that an item it could not determine is indicated.
            ItemVerdict.Indicated => row.Passed != true,
            _ => row.Passed == false,
        };
        if (!expected)
            return $"its pass is {(row.Passed is { } passed ? passed ? "true" : "false" : "null")}, but its verdict is {row.Word}";
        if (row.Claim != row.ExceptionId)
            return $"its exception_id is {PrintableText.Of(row.Claim ?? "missing")}, but must be {row.ExceptionId ?? "missing"}";
        if (row is { Verdict: ItemVerdict.Pass, Reason: not null })
            return "it passes, but has a reason for which it would not";
        if (row.Approval is not null != (row.Verdict == ItemVerdict.Approved))
            return row.Approval is null ? "it is approved, but has no waiver" : $"it has a waiver, but its verdict is {row.Word}";
        return _approvals is null ? null : WhyOtherApproval(row, _approvals);
    }

    private string? WhyOtherApproval(PopulationRow row, SealedApprovals approvals)
    {
        var valid = approvals.Of(row.Item);
        if (row.Approval is not { } given)
        {
            return _isCurrent && valid is not null && row.Verdict is ItemVerdict.Deviation or ItemVerdict.Indicated && row.Passed == false
                ? $"its verdict is {row.Word}, but the register approves it"
                : null;
        }
        // Older rules took approvals that are not valid today.
        if (!_isCurrent)
            return approvals.Names(row.Item) ? null : "it is approved, but the register does not have it";
        if (valid is null)
            return $"it is approved, but {(approvals.Names(row.Item) ? "its entry of the register is not valid" : "the register does not have it")}";
        var right = new Approval(valid.ApprovedBy, valid.ApprovedOn, valid.Expires, valid.Reason);
        return given == right || given == Cleaned(right)
            ? null
            : $"its waiver is by {PrintableText.Of(given.Words)}, but the register says {PrintableText.Of(right.Words)}";
    }

    /// <summary>Returns an approval as a row has it: without what looks like a credential.</summary>
    private static Approval Cleaned(Approval approval) =>
        CredentialScan.Clean(JsonSerializer.SerializeToUtf8Bytes(approval.Members.ToDictionary(m => m.Name, m => m.Value))) is { } clean
        && JsonSerializer.Deserialize<Dictionary<string, string>>(clean) is { } members
            ? new(members["approved_by"], members["approved_on"], members["expires"], members["reason"])
            : approval;

    /// <summary>Counts an item once over all tests of its partition. Returns why it is no item of its own in this test; null if it is.</summary>
    private string? Count(int test, TestResult result, PopulationRow row)
    {
        // Rows of a test that failed while it wrote them were not counted.
        if (result is { Error: not null, Population: 0 })
            return null;
        if (row.Verdict is not (ItemVerdict.Pass or ItemVerdict.Undetermined) && _approvals?.Names(row.Item) == true)
            _failed.Add(row.Item);
        if (_items.Count >= MostItems)
        {
            _isWhole = false;
            return null;
        }
        ref var seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_items, Key(row), out var known);
        if (known && seen.Test == test)
            return "the item has several rows; an item is one row";
        var verdict = 1 << (int)row.Verdict;
        if (!known)
            _distinct[0]++;
        if ((seen.Verdicts & verdict) == 0 && row.Verdict != ItemVerdict.Pass)
            _distinct[(int)row.Verdict]++;
        seen = new(test, seen.Verdicts | verdict);
        return null;
    }

    private static UInt128 Key(PopulationRow row)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        // The characters as they are: in UTF-8, items with different unpaired surrogates would be one.
        SHA256.HashData(MemoryMarshal.AsBytes(string.Join('\u001f', row.Target, row.Account, row.Item).AsSpan()), hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }

    /// <summary>Compares the control's counts, which are of distinct items.</summary>
    private string? WhyOtherCounts()
    {
        (string Name, long? Given)[] given =
        [
            ("population", _control.Population), ("deviations", _control.Deviations), ("approved", _control.Approved),
            ("undetermined", _control.Undetermined), ("indicated", _control.Indicated),
        ];
        foreach (var (n, (name, count)) in given.Index().Where(g => g.Item.Given is not null))
        {
            // Beyond the limit only the bounds are known: no test has more, and all together have no fewer.
            var least = _isWhole ? _distinct[n] : _parts.GroupBy(t => t.Partition).Sum(p => p.Max(t => ResultsCheck.Counts(t)[n]));
            var most = _isWhole ? _distinct[n] : _parts.Sum(t => ResultsCheck.Counts(t)[n]);
            if (count < least || count > most)
                return $"{_control.Id} has {name} {count} in results.json, but its rows give {(least == most ? $"{least}" : $"{least} to {most}")}";
        }
        return null;
    }

    /// <summary>Compares the list of approvals that approved nothing.</summary>
    private string? WhyOtherApprovals()
    {
        if (_approvals is null || !_isCurrent || _parts.IsEmpty || _parts.Any(t => t.Error is not null))
            return null;
        var right = _approvals.Summary(_failed);
        return WhyOther("unmatched", _control.Waivers.Unmatched, right.Unmatched) ?? WhyOther("expired", _control.Waivers.Expired, right.Expired);
    }

    private string? WhyOther(string list, ImmutableArray<WaiverRow> given, ImmutableArray<WaiverRow> right)
    {
        // Texts may have been cleaned of what looks like a credential, so that only the items tell rows apart.
        var items = given.Select(r => r.Item).Zip(right.Select(r => r.Item)).FirstOrDefault(p => p.First != p.Second);
        return given.Length != right.Length || items != default
            ? $"{_control.Id}: the waivers that are {list} in results.json are not those of the register "
                + $"({given.Length} and {right.Length}"
                + $"{(items == default ? "" : $"; '{PrintableText.Of(items.First ?? "")}' and '{PrintableText.Of(items.Second ?? "")}'")})"
            : null;
    }

    private static string Place(PartitionName partition) => ResultsCheck.Place(partition.Target, partition.Account);

    /// <summary>An item that was counted: the last test that had it, and its verdicts in all tests as bits.</summary>
    private readonly record struct Seen(int Test, int Verdicts);

    /// <summary>The digest and the counts of the rows of one partition.</summary>
    private sealed class Found : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public long[] Counts { get; } = new long[5];

        public Digest Sha256 => Digest.FromHash(_hash.GetCurrentHash());

        public void Add(ReadOnlyMemory<byte> line, ItemVerdict verdict)
        {
            _hash.AppendData(line.Span);
            _hash.AppendData("\n"u8);
            Counts[0]++;
            if (verdict != ItemVerdict.Pass)
                Counts[(int)verdict]++;
        }

        public void Dispose() => _hash.Dispose();
    }
}
