using static Amazon.Runtime.Internal.Endpoints.StandardLibrary.Fn;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>Determines the AWS partition of a region.</summary>
internal static class Partitions
{
    /// <summary>Returns the partition's name, such as <c>aws-cn</c>; an unknown region counts as <c>aws</c>.</summary>
    public static string Of(string region) => Partition(region)?.name ?? "aws";

    /// <summary>Whether the text has the form of a region, so that it can be part of a host name.</summary>
    public static bool IsRegion(string text) =>
        text.Length is > 4 and < 40 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            && text.Contains('-', StringComparison.Ordinal);

    /// <summary>Returns the region of a partition in which requests without a region are made.</summary>
    public static string HomeRegion(string region) => Partition(region)?.implicitGlobalRegion is { Length: > 0 } home ? home : region;
}
