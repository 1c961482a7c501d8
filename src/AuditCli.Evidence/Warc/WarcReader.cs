using System.Globalization;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Reads WARC 1.1 records (ISO 28500:2017) from a seekable stream of gzip members, and checks each member's checksum and length
/// and each record's block digest. Truncated or altered data ends the reading and is described in <see cref="Damage"/>, with its
/// offset.
/// </summary>
/// <param name="maxRecordBytes">The largest allowed size of one uncompressed record.</param>
public sealed class WarcReader(Stream source, int maxRecordBytes = WarcReader.DefaultMaxRecordBytes)
{
    /// <summary>256 MiB, four times the largest body that is recorded.</summary>
    public const int DefaultMaxRecordBytes = 256 * 1024 * 1024;

    /// <summary>Why reading had to stop early; null when the file ended after a whole record.</summary>
    public WarcDamage? Damage { get; private set; }

    /// <summary>Reads the next record and its position; returns null at the end or at damage.</summary>
    public (WarcRecord Record, WarcPosition Position)? Read()
    {
        var start = source.Position;
        if (Damage is not null || start == source.Length)
            return null;
        try
        {
            var record = Parse(Inflate());
            return (record, new(start, source.Position - start));
        }
        catch (InvalidDataException e)
        {
            Damage = new(start, e.Message);
            return null;
        }
    }

    /// <summary>Reads every whole record from the stream's position on.</summary>
    public IEnumerable<(WarcRecord Record, WarcPosition Position)> ReadAll()
    {
        while (Read() is { } next)
            yield return next;
    }

    private ReadOnlyMemory<byte> Inflate()
    {
        using var member = new GzipMember(source);
        var content = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = member.Read(buffer)) > 0;)
        {
            if (content.Length + read > maxRecordBytes)
                throw new InvalidDataException($"a record is larger than {maxRecordBytes} bytes");
            content.Write(buffer, 0, read);
        }
        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }

    private static WarcRecord Parse(ReadOnlyMemory<byte> content)
    {
        var (version, fields, rest) = WarcFormat.ParseHead(content, trim: true);
        if (version != "WARC/1.1")
            throw new InvalidDataException($"not a WARC/1.1 record: '{version}'");
        var record = new WarcRecord(fields, default);
        if (!int.TryParse(record["Content-Length"], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || rest.Length != length + 4L || !rest.Span[length..].SequenceEqual("\r\n\r\n"u8))
        {
            throw new InvalidDataException($"{record.Id}: the block does not have the stated length");
        }
        record = record with { Block = rest[..length] };
        if (record["WARC-Block-Digest"] is { } digest && digest != WarcFormat.DigestOf(record.Block.Span))
            throw new InvalidDataException($"{record.Id}: the block digest does not match");
        return record;
    }
}
