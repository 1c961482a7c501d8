using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace AuditCli.Collectors.Http;

/// <summary>A form of credentials.</summary>
/// <param name="Anchor">What each holds, in this case or, with <paramref name="AnyCase"/>, in any.</param>
/// <param name="Read">Reads one where the anchor stands.</param>
/// <param name="From">From where in the anchor on it is searched for: three letters that few other words have cost the least.</param>
internal sealed record CredentialForm(string Anchor, CredentialForm.Reader Read, bool AnyCase = false, int From = 0)
{
    /// <summary>What is searched for; at least three characters.</summary>
    public string Sought { get; } = Anchor[From..];

    /// <summary>Where in the text the secret itself is; of no length where there is none.</summary>
    /// <param name="at">Where the anchor begins.</param>
    public delegate TextPart Reader(ReadOnlySpan<char> text, int at);
}

/// <summary>A part of a text.</summary>
internal readonly record struct TextPart(int Start, int Length)
{
    public static TextPart None => default;

    public int End => Start + Length;
}

/// <summary>
/// Finds credentials in text by their form: private keys, signed tokens, passwords in URLs, keys of known services, and whatever is
/// called a secret and has a value. It is the one list of forms, at collecting, in files that are handed in, in the log and before a bundle
/// is sealed. The work per letter is bounded, whatever the text.
/// </summary>
internal static class CredentialForms
{
    private static readonly ImmutableArray<CredentialForm> All =
    [
        .. KeyForms.All,
        .. NamedForms.All,
    ];

    private const int LetterBits = 5;
    private const int Keys = 1 << (3 * LetterBits);

    /// <summary>The forms that are sought by the same three letters, and nothing at the first place.</summary>
    private static readonly CredentialForm[][] Sought = [[], .. All.GroupBy(f => Key(f.Sought)).Select(g => g.ToArray())];

    /// <summary>
    /// By three letters, where in <see cref="Sought"/> their forms are. One look at a table for each letter of a text is faster than a search for
    /// so many words, which stops at a large part of what is in base64.
    /// </summary>
    private static readonly byte[] SoughtByKey = Table();

    /// <summary>Whether anything in the text begins like one.</summary>
    public static bool MayBegin(ReadOnlySpan<char> text) => Seek(text, 0) >= 0 || text.Contains('@');

    /// <summary>Where the first one begins that was not replaced; -1 where there is none.</summary>
    public static int First(ReadOnlySpan<char> text)
    {
        var (named, user) = (Next(text, 0), UserInfo.Next(text, 0));
        return named.Length == 0 ? user.Length == 0 ? -1 : user.Start : user.Length == 0 ? named.Start : Math.Min(named.Start, user.Start);
    }

    /// <summary>The text with each replaced; the same text where there is none.</summary>
    public static string Replace(string text, Func<string, string> instead) => Replace(Replace(text, instead, Next), instead, UserInfo.Next);

    /// <summary>The next one that was not replaced; of no length where there is none.</summary>
    private static TextPart Next(ReadOnlySpan<char> text, int from)
    {
        for (var at = from; Seek(text, at) is >= 0 and var next; at = next + 1)
        {
            foreach (var form in Sought[SoughtByKey[Key(text[next..])]])
            {
                var start = next - form.From;
                if (start >= 0 && text[start..].StartsWith(form.Anchor, form.AnyCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)
                    && form.Read(text, start) is { Length: > 0 } found && found.Start >= from && !IsReplaced(text.Slice(found.Start, found.Length)))
                    return found;
            }
        }
        return TextPart.None;
    }

    private static string Replace(string text, Func<string, string> instead, Func<ReadOnlySpan<char>, int, TextPart> find)
    {
        StringBuilder? clean = null;
        var copied = 0;
        while (find(text, copied) is { Length: > 0 } found)
        {
            clean ??= new(text.Length);
            clean.Append(text, copied, found.Start - copied).Append(instead(text.Substring(found.Start, found.Length)));
            copied = found.End;
        }
        return clean is null ? text : clean.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Where, from a place on, three letters stand that begin what is sought, or three that are much alike; -1 where none do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Seek(ReadOnlySpan<char> text, int from)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(SoughtByKey);
        var at = from;
        if (Vector256.IsHardwareAccelerated)
        {
            // The keys of sixteen places at once; the looks at the table do not wait for each other.
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

    /// <summary>Of the first three letters, whatever their case.</summary>
    private static int Key(ReadOnlySpan<char> text) => (text[0] & 31) << (2 * LetterBits) | (text[1] & 31) << LetterBits | text[2] & 31;

    private static byte[] Table()
    {
        var table = new byte[Keys];
        for (var i = 1; i < Sought.Length; i++)
            table[Key(Sought[i][0].Sought)] = checked((byte)i);
        return table;
    }

    private static bool IsReplaced(ReadOnlySpan<char> found) => found.IndexOf(BodyRedaction.Prefix) >= 0 || found.IndexOf(EchoedSecrets.Mark) >= 0;
}
