using static Amazon.Runtime.Internal.Endpoints.StandardLibrary.Fn;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>Which of Amazon's separate clouds a region or host belongs to.</summary>
internal static class Partitions
{
    /// <summary>The partition's name, such as <c>aws-cn</c>; unknown regions count as <c>aws</c>.</summary>
    public static string Of(string region) => Partition(region)?.name ?? "aws";

    /// <summary>Whether the text has the form of a region, so that it can stand in a host name.</summary>
    public static bool IsRegion(string text) =>
        text.Length is > 4 and < 40 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text.Contains('-', StringComparison.Ordinal);

    /// <summary>The region of a partition where things without a region are asked.</summary>
    public static string HomeRegion(string region) => Partition(region)?.implicitGlobalRegion is { Length: > 0 } home ? home : region;
}
