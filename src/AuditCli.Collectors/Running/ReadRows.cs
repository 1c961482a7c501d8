using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Notices a row that a list returns twice. Pages of a list without a fixed order repeat some rows and omit as many, and the number of rows
/// then agrees although some are missing.
/// </summary>
/// <param name="what">The request, as named in the message.</param>
internal sealed class ReadRows(string what)
{
    /// <summary>Later rows are not remembered, so that memory does not grow with the list: 16 bytes and some overhead for each.</summary>
    private const int MostRemembered = 1_000_000;

    private readonly HashSet<UInt128> _rows = [];

    /// <summary>Takes note of the rows of one page; returns the failure of the first that was read before, null if there is none.</summary>
    public CollectionException? Add(ImmutableArray<PageRow> rows) =>
        rows.Any(row => IsRepeated(JsonMarshal.GetRawUtf8Value(row.Value))) ? Repeated("a row that") : null;

    /// <summary>Does the same for rows by their keys.</summary>
    /// <param name="called">The words before the key in the message.</param>
    public CollectionException? Add(IEnumerable<string> keys, string called = "") =>
        keys.FirstOrDefault(key => IsRepeated(Encoding.UTF8.GetBytes(key))) is { } repeated ? Repeated($"{called}{repeated}, which") : null;

    private bool IsRepeated(ReadOnlySpan<byte> row)
    {
        var digest = BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(row));
        return _rows.Contains(digest) || _rows.Count < MostRemembered && !_rows.Add(digest);
    }

    private CollectionException Repeated(string row) =>
        new(Codes.RepeatedRow, $"{what}: the response repeats {row} was read before, so others may be missing");
}
