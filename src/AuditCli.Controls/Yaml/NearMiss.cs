namespace AuditCli.Controls.Yaml;

/// <summary>Finds the word that was probably meant.</summary>
public static class NearMiss
{
    /// <summary>Returns <c>; did you mean 'x'?</c> to append to a message, or nothing where no candidate is near.</summary>
    public static string Hint(string written, IEnumerable<string> candidates) =>
        Of(written, candidates) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>Returns the nearest candidate, or null when none is near: at most a third of the letters may differ.</summary>
    public static string? Of(string written, IEnumerable<string> candidates)
    {
        if (written.Length is 0 or > 128)
            return null;
        return candidates
            .Where(c => c.Length <= 128)
            .Select(c => (Candidate: c, Distance: Distance(written.ToLowerInvariant(), c.ToLowerInvariant())))
            .Where(c => c.Distance <= Math.Max(1, Math.Min(written.Length, c.Candidate.Length) / 3))
            .OrderBy(c => c.Distance).ThenBy(c => c.Candidate, StringComparer.Ordinal)
            .Select(c => c.Candidate)
            .FirstOrDefault();
    }

    /// <summary>Counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                var best = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                rows[i, j] = best;
            }
        }
        return rows[a.Length, b.Length];
    }
}
