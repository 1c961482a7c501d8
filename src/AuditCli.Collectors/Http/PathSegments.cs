namespace AuditCli.Collectors.Http;

/// <summary>
/// The one rule for values that become a part of a URL's path, whatever the source: none of them leads to another place than the operation's
/// own. What is written <c>..</c>, in whatever spelling, a server or a proxy on the way may take for the folder above.
/// </summary>
internal static class PathSegments
{
    /// <summary>Percent signs are read as often as somebody on the way might.</summary>
    private const int MostReadings = 4;

    /// <summary>Says why a value cannot be a part of a path; null where it can.</summary>
    public static string? WhyNot(string value) =>
        value.Length == 0 ? "must not be empty" : Leads(value) ? "must not have '.' or '..' as a part of a path, however it is written" : null;

    /// <summary>Whether a part of the path is <c>.</c> or <c>..</c>, as it is written or once its escapes are read.</summary>
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
