using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Keeps the names of members that were searched and hold no secret: answers repeat few names very often, and each is decoded and searched
/// once. Threads may use it at once, because an entry is never changed.
/// </summary>
internal sealed class MemberNames
{
    private const int Places = 1024;
    private const int LongestKept = 64;
    private readonly Entry?[] _kept = new Entry?[Places];

    /// <summary>
    /// Returns the name at which a reader stands, whether it is known to hold no secret, and whether it announces one if that is known.
    /// </summary>
    public (string Name, bool IsClean, bool? Announces) Of(ref Utf8JsonReader reader)
    {
        var utf8 = reader.ValueSpan;
        if (!reader.ValueIsEscaped && utf8.Length <= LongestKept && _kept[Place(utf8)] is { } entry && utf8.SequenceEqual(entry.Utf8))
            return (entry.Name, true, entry.Announces);
        try
        {
            return (reader.GetString()!, false, null);
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate; no place has such a name.
            return (Encoding.UTF8.GetString(utf8), false, null);
        }
    }

    /// <summary>Keeps a name that holds no secret.</summary>
    public void Keep(ReadOnlySpan<byte> utf8, string name, bool isEscaped)
    {
        if (!isEscaped && utf8.Length <= LongestKept)
            _kept[Place(utf8)] = new(utf8.ToArray(), name, NamedForms.Says(name, option: false));
    }

    private static int Place(ReadOnlySpan<byte> name)
    {
        const ulong Factor = 0x9e3779b97f4a7c15;
        var hash = (ulong)name.Length;
        unchecked
        {
            for (; name.Length >= sizeof(ulong); name = name[sizeof(ulong)..])
                hash = (hash ^ MemoryMarshal.Read<ulong>(name)) * Factor;
            foreach (var letter in name)
                hash = (hash ^ letter) * Factor;
            return (int)((hash >> 32) % Places);
        }
    }

    private sealed record Entry(byte[] Utf8, string Name, bool Announces);
}
