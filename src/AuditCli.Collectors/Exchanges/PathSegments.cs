
namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Checks values that become a part of a URL's path, for every source: none may lead to another path than the operation's own. A server or
/// proxy may resolve <c>..</c>, in any encoding, to the parent folder.
/// </summary>
internal static class PathSegments
{
    /// <summary>The number of percent-decodings that are checked, since intermediaries may decode repeatedly.</summary>
    private const int MostReadings = 4;

    /// <summary>Returns why a value cannot be a part of a path; null if it can.</summary>
    public static string? WhyNot(string value) =>
        value.Length == 0 ? "must not be empty" : Leads(value) ? "must not have '.' or '..' as a part of a path, however it is written" : null;

    /// <summary>Whether a segment of the path is <c>.</c> or <c>..</c>, as it is or after decoding.</summary>
    public static bool Leads(string path)
    {
        for (var readings = 0; readings < MostReadings; readings++)
        {
            if (path.Split('/', '\\').Any(part => part is "." or ".."))
                return true;
            var read = Uri.UnescapeDataString(path);
            if (read == path)
                return false;
            path = read;
        }
        return true;
    }
}
