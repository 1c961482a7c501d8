namespace AuditCli.Tests;

/// <summary>Tells whether to sample or to try everything. <c>.ci/long</c> sets the variable <c>AUDITCLI_LONG</c>.</summary>
public static class LongRun
{
    public static bool IsWhole { get; } = Environment.GetEnvironmentVariable("AUDITCLI_LONG") == "1";

    /// <summary>Returns all elements in a long run, otherwise the first one and then every <paramref name="oneOf"/>th.</summary>
    public static IEnumerable<T> Sample<T>(IEnumerable<T> all, int oneOf) => IsWhole ? all : all.Where((_, n) => n % oneOf == 0);
}
