using CsCheck;

namespace AuditCli.Tests;

/// <summary>
/// Repeatedly gives a reader valid input with a few random changes. A reader may reject it only in the documented ways, must answer soon,
/// and must not accumulate memory. A few rounds in the suite, five minutes for each reader in <c>.ci/long</c>.
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

    // A fixed seed, so that the rounds are the same on every machine and a failure is never a matter of chance.
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

    /// <param name="honest">Inputs that the reader accepts.</param>
    /// <param name="words">Byte sequences that have a meaning in the format.</param>
    /// <param name="read">Reads the input, and catches only the exceptions that the reader documents.</param>
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
            // A reader that hangs cannot be stopped, so its task is abandoned and the test fails.
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

    /// <summary>Prints the input as base64, so that it can be kept as a test.</summary>
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
