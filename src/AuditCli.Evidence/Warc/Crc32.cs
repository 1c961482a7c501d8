using System.Buffers.Binary;
using System.Collections.Immutable;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Computes the CRC-32 that gzip uses (RFC 1952, section 8), with eight table lookups for every eight bytes ("slicing by eight").
/// It is written here because System.IO.Hashing is a package, and this assembly has no package references.
/// </summary>
internal static class Crc32
{
    private static readonly ImmutableArray<uint> Remainders = Build();

    /// <summary>Continues a checksum over more bytes; start with 0.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var tables = Remainders.AsSpan();
        crc = ~crc;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = tables[(7 * 256) + (int)(low & 0xFF)] ^ tables[(6 * 256) + (int)(low >> 8 & 0xFF)]
                ^ tables[(5 * 256) + (int)(low >> 16 & 0xFF)] ^ tables[(4 * 256) + (int)(low >> 24)]
                ^ tables[(3 * 256) + (int)(high & 0xFF)] ^ tables[(2 * 256) + (int)(high >> 8 & 0xFF)]
                ^ tables[256 + (int)(high >> 16 & 0xFF)] ^ tables[(int)(high >> 24)];
        }
        foreach (var b in bytes)
            crc = crc >> 8 ^ tables[(int)((crc ^ b) & 0xFF)];
        return ~crc;
    }

    private static ImmutableArray<uint> Build()
    {
        const uint polynomial = 0xEDB88320;
        var tables = new uint[8 * 256];
        for (var i = 0; i < 256; i++)
        {
            var value = (uint)i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) == 0 ? value >> 1 : value >> 1 ^ polynomial;
            tables[i] = value;
        }
        for (var i = 256; i < tables.Length; i++)
            tables[i] = tables[i - 256] >> 8 ^ tables[(int)(tables[i - 256] & 0xFF)];
        return [.. tables];
    }
}
