namespace AuditCli.Tests;

/// <summary>What the suite samples and <c>.ci/long</c> tries whole, by the variable <c>AUDITCLI_LONG</c>.</summary>
public static class LongRun
{
    /// <summary>Whether everything is to be tried.</summary>
    public static bool IsWhole { get; } = Environment.GetEnvironmentVariable("AUDITCLI_LONG") == "1";

    /// <summary>All of them, or the first and every further one of so many.</summary>
    public static IEnumerable<T> Sample<T>(IEnumerable<T> all, int oneOf) => IsWhole ? all : all.Where((_, n) => n % oneOf == 0);
}
