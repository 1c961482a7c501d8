using System.Globalization;
using System.Text.RegularExpressions;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The parts of a digest file's key: its trail and home region, the end of its period, and whether it adds files that arrived late.
/// </summary>
/// <param name="Trail">The trail's name; several trails may share a bucket.</param>
internal sealed partial record DigestName(string Key, string Trail, string HomeRegion, DateTimeOffset Until, bool IsBackfill)
{
    /// <summary>
    /// Parses a key below the folder of an account's digest files in a region; null if it is not the key of a digest file.
    /// </summary>
    /// <param name="folder">The prefix of the digest files; ends with a slash.</param>
    public static DigestName? Read(string key, string folder, string account, string region)
    {
        if (!key.StartsWith(folder, StringComparison.Ordinal) || Form().Match(key[folder.Length..]) is not { Success: true } form
            || form.Groups["account"].Value != account || form.Groups["region"].Value != region
            || !DateTimeOffset.TryParseExact(
                form.Groups["until"].Value, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until))
        {
            return null;
        }
        return new(key, form.Groups["trail"].Value, form.Groups["home"].Value, until, form.Groups["backfill"].Success);
    }

    [GeneratedRegex(
        @"^[0-9]{4}/[0-9]{2}/[0-9]{2}/(?<account>[0-9]+)_CloudTrail-Digest_(?<region>[a-z0-9-]+)_(?<trail>[^/]+)_(?<home>[a-z0-9-]+)"
            + @"_(?<until>[0-9]{8}T[0-9]{6}Z)(?<backfill>_backfill)?\.json\.gz\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
