namespace AuditCli.Bundles;

/// <summary>Makes the ids of new bundles.</summary>
internal static class BundleIds
{
    private const int MostOfEntity = 40;
    private const int RandomBytes = 4;

    /// <summary>Returns the part of an id that says when the bundle was begun.</summary>
    public static string MomentOf(DateTimeOffset begun) =>
        begun.UtcDateTime.ToString("yyyyMMdd't'HHmmss'z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Returns an id: the entity, the time and random digits, which keep two bundles of one second apart.</summary>
    public static string New(string entity, DateTimeOffset now, AuditHost host)
    {
        var name = string.Concat(entity.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return $"{(name.Length == 0 ? "audit" : name[..Math.Min(MostOfEntity, name.Length)].Trim('-'))}"
            + $"-{MomentOf(now)}-{Convert.ToHexStringLower(host.Random(RandomBytes))}";
    }
}
