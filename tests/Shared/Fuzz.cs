using CsCheck;

namespace AuditCli.Tests;

/// <summary>
/// Gives a reader honest input that was changed in a few places, again and again. A reader may refuse it in the ways that it documents, and
/// in no other; it answers soon, and keeps nothing. A few rounds here, five minutes a reader in <c>.ci/long</c>.
/// </summary>
public static class Fuzz
{
    private const int Rounds = 120;
    private const int Seconds = 300;
    private const int MostEdits = 6;
    private const int MostCopied = 4096;
    private const long MostGrowth = 500L << 20;
    private const int MostBytes = 1 << 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    // The same rounds on every machine: what fails here failed before, and is not somebody else's bad luck.
    private const string Seed = "0N0XIzNsQ0O2";

    private enum Change
    {
        Flip,
        Put,
        Remove,
        Repeat,
        Cut,
        Word,
        Join,
    }

    private sealed record Edit(Change Change, double At, int Length, byte Byte, int Word);

    /// <param name="honest">Inputs that the reader takes.</param>
    /// <param name="words">What means something to it.</param>
    /// <param name="read">Reads; catches what the reader documents, and nothing else.</param>
    public static void Changed(IReadOnlyList<byte[]> honest, IReadOnlyList<byte[]> words, Action<byte[]> read)
    {
        foreach (var input in honest)
            read(input);
        var changed =
            from input in Gen.Int[0, honest.Count - 1]
            from edits in Edits(words.Count).Array[1, MostEdits]
            select edits.Aggregate(honest[input], (bytes, edit) => Apply(bytes, edit, honest, words));
        var before = Environment.WorkingSet;
        if (LongRun.IsWhole)
        {
            changed.Sample(Once, time: Seconds, threads: 1, print: Shown);
        }
        else
        {
            foreach (var input in changed.Array[Rounds].Single(_ => true, Seed))
                Once(input);
        }

        void Once(byte[] input)
        {
            // Nobody can stop a reader that hangs, so that it is left behind and said.
            var reading = Task.Run(() => read(input));
            try
            {
                if (!reading.Wait(Longest))
                    throw new TimeoutException($"no answer after {Longest.TotalSeconds} s to {Shown(input)}");
            }
            catch (AggregateException e)
            {
                throw new InvalidOperationException($"{e.InnerException!.GetType().Name}: {e.InnerException.Message} at {Shown(input)}", e.InnerException);
            }
            if (Environment.WorkingSet - before > MostGrowth)
                throw new InvalidOperationException($"{Environment.WorkingSet - before >> 20} MB more than before after {Shown(input)}");
        }
    }

    /// <summary>As base64, to be kept as a test.</summary>
    private static string Shown(byte[] input) => Convert.ToBase64String(input);

    private static Gen<Edit> Edits(int words) =>
        from change in Gen.Enum<Change>()
        from at in Gen.Double.Unit
        from length in Gen.Int[1, MostCopied]
        from value in Gen.Byte
        from word in Gen.Int[0, Math.Max(0, words - 1)]
        select new Edit(change, at, length, value, word);

    private static byte[] Apply(byte[] bytes, Edit edit, IReadOnlyList<byte[]> honest, IReadOnlyList<byte[]> words)
    {
        if (bytes.Length == 0 || bytes.Length > MostBytes)
            return bytes;
        var at = (int)(edit.At * (bytes.Length - 1));
        var part = Math.Min(edit.Length % 64 + 1, bytes.Length - at);
        return edit.Change switch
        {
            Change.Flip => [.. bytes[..at], (byte)(bytes[at] ^ (1 << (edit.Byte & 7))), .. bytes[(at + 1)..]],
            Change.Put => [.. bytes[..at], edit.Byte, .. bytes[at..]],
            Change.Remove => [.. bytes[..at], .. bytes[(at + part)..]],
            Change.Repeat => [.. bytes[..at], .. Enumerable.Repeat(bytes[at..(at + part)], edit.Length / part + 1).SelectMany(b => b), .. bytes[at..]],
            Change.Cut => bytes[..at],
            Change.Word when words.Count > 0 => [.. bytes[..at], .. words[edit.Word], .. bytes[at..]],
            Change.Join => [.. bytes[..at], .. honest[edit.Length % honest.Count].AsSpan((int)(edit.At * honest[edit.Length % honest.Count].Length))],
            _ => bytes,
        };
    }
}
