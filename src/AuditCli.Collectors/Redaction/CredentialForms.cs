using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace AuditCli.Collectors.Redaction;

/// <summary>A form by which credentials are recognised.</summary>
/// <param name="Anchor">The text that every such credential contains, case-sensitive unless <paramref name="AnyCase"/> is set.</param>
/// <param name="Read">Reads a credential at the place of the anchor.</param>
/// <param name="From">
/// The offset in the anchor at which the search begins; choosing three letters that few other words have makes the search cheap.
/// </param>
internal sealed record CredentialForm(string Anchor, CredentialForm.Reader Read, bool AnyCase = false, int From = 0)
{
    /// <summary>The part of the anchor that is searched for; at least three characters.</summary>
    public string Sought { get; } = Anchor[From..];

    /// <summary>Returns the place of the secret itself in the text; of length 0 if there is none.</summary>
    /// <param name="at">The place at which the anchor begins.</param>
    public delegate TextPart Reader(ReadOnlySpan<char> text, int at);
}

/// <summary>A part of a text, in characters.</summary>
internal readonly record struct TextPart(int Start, int Length)
{
    public static TextPart None => default;

    public int End => Start + Length;
}

/// <summary>
/// Finds credentials in text by their form: private keys, signed tokens, passwords in URLs, keys of known services, and values whose name
/// announces a secret. Collection, input files, the log and the check before a bundle is sealed all use this list of forms. The work per
/// character is bounded for every text.
/// </summary>
internal static class CredentialForms
{
    private static readonly ImmutableArray<CredentialForm> All =
    [
        .. KeyForms.All,
        .. NamedForms.All,
        .. ToolForms.All,
        .. CommandForms.All,
    ];

    private const int LetterBits = 5;
    private const int Keys = 1 << (3 * LetterBits);

    /// <summary>The forms by the key of the three letters that are searched for; empty for all other keys.</summary>
    private static readonly CredentialForm[][] Sought = ByKey();

    /// <summary>
    /// Whether there are forms for a three-letter key: 1, or 0 for none. One look-up per character in a table that fits into the fastest
    /// cache is faster than a search for so many words, which would stop at a large part of base64 content.
    /// </summary>
    private static readonly byte[] SoughtByKey = [.. Sought.Select(forms => (byte)Math.Min(1, forms.Length))];

    /// <summary>Whether a credential may begin anywhere in the text.</summary>
    public static bool MayBegin(ReadOnlySpan<char> text) =>
        Seek(text, 0) >= 0 || text.Contains('@') || KeyForms.OldVault(text, 0).Length > 0 || FoldedText.May(text);

    /// <summary>Returns the place of the first credential that is not replaced yet; -1 if there is none.</summary>
    /// <param name="exchange">Whether the text is a recorded exchange or its URL, in which page tokens are needed.</param>
    public static int First(ReadOnlySpan<char> text, bool exchange = false)
    {
        if (FoldedText.May(text))
        {
            var folded = FoldedText.Of(text.ToString());
            return First(folded.Plain, exchange) is >= 0 and var found ? folded.Original(new(found, 1)).Start : -1;
        }
        var (named, user) = (Next(text, 0, exchange), UserInfo.Next(text, 0));
        return named.Length == 0 ? user.Length == 0 ? -1 : user.Start : user.Length == 0 ? named.Start : Math.Min(named.Start, user.Start);
    }

    /// <summary>Returns the text with every credential replaced; the same text if there is none.</summary>
    /// <param name="exchange">See <see cref="First"/>.</param>
    public static string Replace(string text, Func<string, string> instead, bool exchange = false) =>
        Replace(Replace(text, instead, (t, from) => Next(t, from, exchange)), instead, UserInfo.Next);

    /// <summary>Calls an action for the place of every credential that is not replaced yet.</summary>
    public static void Each(string text, Action<TextPart> action)
    {
        for (var at = 0; Next(text, at, false) is { Length: > 0 } found; at = found.End)
            action(found);
    }

    /// <summary>Returns the next credential that is not replaced yet; of length 0 if there is none.</summary>
    private static TextPart Next(ReadOnlySpan<char> text, int from, bool exchange)
    {
        if (from == 0 && KeyForms.OldVault(text, 0) is { Length: > 0 } whole)
            return whole;
        for (var at = from; Seek(text, at) is >= 0 and var next; at = next + 1)
        {
            foreach (var form in Sought[Key(text[next..])])
            {
                var start = next - form.From;
                if (start >= 0 && text[start..].StartsWith(form.Anchor, form.AnyCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)
                    && form.Read(text, start) is { Length: > 0 } found && found.Start >= from
                    && !BodyRedaction.IsReplaced(text.Slice(found.Start, found.Length)) && !(exchange && KeyForms.IsPageToken(text, found.Start)))
                    return found;
            }
        }
        return TextPart.None;
    }

    private static string Replace(string text, Func<string, string> instead, Func<ReadOnlySpan<char>, int, TextPart> find)
    {
        StringBuilder? clean = null;
        var folded = FoldedText.Of(text);
        var (copied, from) = (0, 0);
        while (find(folded.Plain, from) is { Length: > 0 } found)
        {
            clean ??= new(text.Length);
            var part = folded.Original(found);
            clean.Append(text, copied, part.Start - copied).Append(instead(text.Substring(part.Start, part.Length)));
            (copied, from) = (part.End, found.End);
        }
        return clean is null ? text : clean.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>
    /// Returns the next place whose three letters have a key in the table, which includes false positives of similar letters; -1 if there
    /// is none.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Seek(ReadOnlySpan<char> text, int from)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(SoughtByKey);
        var at = from;
        if (Vector256.IsHardwareAccelerated)
        {
            // Computes the keys of sixteen places at once, so that the table look-ups do not depend on each other.
            ref var letters = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text));
            var low = Vector256.Create((ushort)31);
            Span<ushort> keys = stackalloc ushort[Vector256<ushort>.Count];
            ref var key = ref MemoryMarshal.GetReference(keys);
            unchecked
            {
                for (; at <= text.Length - Vector256<ushort>.Count - 2; at += Vector256<ushort>.Count)
                {
                    var three = (Vector256.LoadUnsafe(ref letters, (nuint)at) & low) << (2 * LetterBits)
                        | (Vector256.LoadUnsafe(ref letters, (nuint)at + 1) & low) << LetterBits
                        | Vector256.LoadUnsafe(ref letters, (nuint)at + 2) & low;
                    three.StoreUnsafe(ref key);
                    if ((At(ref table, ref key, 0) | At(ref table, ref key, 4) | At(ref table, ref key, 8) | At(ref table, ref key, 12)) == 0)
                        continue;
                    for (var i = 0; i < keys.Length; i++)
                    {
                        if (Unsafe.Add(ref table, (nuint)keys[i]) != 0)
                            return at + i;
                    }
                }
            }
        }
        for (; at <= text.Length - 3; at++)
        {
            if (SoughtByKey[Key(text[at..])] != 0)
                return at;
        }
        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At(ref byte table, ref ushort keys, nuint from) =>
        Unsafe.Add(ref table, (nuint)Unsafe.Add(ref keys, from)) | Unsafe.Add(ref table, (nuint)Unsafe.Add(ref keys, from + 1))
        | Unsafe.Add(ref table, (nuint)Unsafe.Add(ref keys, from + 2)) | Unsafe.Add(ref table, (nuint)Unsafe.Add(ref keys, from + 3));

    /// <summary>Returns the key of the first three letters, independent of case.</summary>
    private static int Key(ReadOnlySpan<char> text) => (text[0] & 31) << (2 * LetterBits) | (text[1] & 31) << LetterBits | text[2] & 31;

    private static CredentialForm[][] ByKey()
    {
        var forms = All.ToLookup(f => Key(f.Sought));
        return [.. Enumerable.Range(0, Keys).Select(key => forms[key].ToArray())];
    }
}
