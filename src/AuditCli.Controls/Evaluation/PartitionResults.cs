using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Writes a control's results by partition as they become known, one line per test and partition, and adds them up. Memory does not grow
/// with the number of partitions.
/// </summary>
/// <param name="open">Opens the file of that name; called once there is a line, so that a control that tested nothing has no file.</param>
/// <param name="clean">Cleans each line; null leaves lines as they are.</param>
internal sealed class PartitionResultsWriter(string control, Func<string, Stream> open, RowCleaner? clean) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<TestTotals> _totals = [];
    private Stream? _file;
    private long _lines;

    /// <summary>The totals of each test, in the order in which the tests ran.</summary>
    public ImmutableArray<TestTotals> Totals => [.. _totals];

    /// <summary>What was written; null before the first line.</summary>
    public PartitionsFile? Written => _lines == 0 ? null : new(_lines, Digest.FromHash(_hash.GetCurrentHash()));

    public async Task WriteAsync(TestResult result, CancellationToken cancellationToken)
    {
        var json = ResultsJson.Line(result);
        byte[] line = [.. clean?.Invoke(json) ?? json, (byte)'\n'];
        _file ??= open(BundleLayout.PartitionsName(control));
        await _file.WriteAsync(line, cancellationToken);
        _hash.AppendData(line);
        _lines++;
        TestTotals.Add(_totals, result);
    }

    public void Dispose()
    {
        _file?.Dispose();
        _hash.Dispose();
    }
}

/// <summary>Reads the lines of a control's results by partition one at a time.</summary>
public static class PartitionResults
{
    /// <summary>Yields every line, strictly: no unknown, duplicate or missing member.</summary>
    /// <param name="open">Opens the file at its beginning.</param>
    /// <param name="path">The file's path in the bundle, for messages.</param>
    /// <exception cref="InvalidDataException">A line is not the result of a test in a partition; the message has the file and the line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<TestResult> Read(Func<Stream> open, string path)
    {
        var number = 0L;
        using var file = open();
        foreach (var (line, ended) in NdjsonFile.Lines(file, path))
        {
            number++;
            yield return ended ? Parse(line, path, number) : throw new InvalidDataException($"{path}:{number}: the last line is incomplete");
        }
    }

    private static TestResult Parse(ReadOnlyMemory<byte> line, string path, long number)
    {
        try
        {
            return ResultsJson.ReadLine(line.Span);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"{path}:{number}: the line is not the result of a test in a partition: {PrintableText.Of(e.Message)}", e);
        }
    }
}
