using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace AuditCli.Collectors.Rest;

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

    /// <summary>Takes note of the rows of one page.</summary>
    /// <exception cref="CollectionException">One of them was read before (<see cref="Codes.RepeatedRow"/>).</exception>
    public void Add(ImmutableArray<PageRow> rows)
    {
        foreach (var row in rows)
        {
            var digest = BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(JsonMarshal.GetRawUtf8Value(row.Value)));
            if (_rows.Contains(digest) || _rows.Count < MostRemembered && !_rows.Add(digest))
                throw new CollectionException(Codes.RepeatedRow, $"{what}: the response repeats a row that was read before, so others may be missing");
        }
    }
}
