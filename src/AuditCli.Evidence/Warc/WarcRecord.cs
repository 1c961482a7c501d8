using System.Collections.Immutable;

namespace AuditCli.Evidence.Warc;

/// <summary>One record of a WARC 1.1 file (ISO 28500:2017): named fields in file order, and its block.</summary>
public sealed record WarcRecord(ImmutableArray<KeyValuePair<string, string>> Fields, ReadOnlyMemory<byte> Block)
{
    /// <summary>Returns the first field of that name (case-insensitive), or null.</summary>
    public string? this[string name] => Fields.FirstOrDefault(f => f.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>
    /// The record's type: <c>warcinfo</c>, <c>request</c>, <c>response</c>, <c>metadata</c>; empty when the record has none.
    /// </summary>
    public string Type => this["WARC-Type"] ?? "";

    /// <summary>The record's identifier without angle brackets, such as <c>urn:uuid:…</c>; empty when the record has none.</summary>
    public string Id => (this["WARC-Record-ID"] ?? "").TrimStart('<').TrimEnd('>');

    /// <summary>
    /// The identifier of the request to which this record belongs, without angle brackets; null when it belongs to none.
    /// </summary>
    public string? ConcurrentTo => this["WARC-Concurrent-To"]?.TrimStart('<').TrimEnd('>');
}

/// <summary>The position of a record's gzip member in its file, in bytes.</summary>
public readonly record struct WarcPosition(long Offset, long Length);

/// <summary>Why reading stopped before the end, and the offset of the first byte that is not part of a whole record.</summary>
public sealed record WarcDamage(long Offset, string Reason);

/// <summary>The identifiers, without angle brackets, of an exchange's two records.</summary>
/// <param name="Answer">The identifier of the response, or of the metadata record that says why there is none.</param>
public sealed record ExchangeIds(string Request, string Answer);
