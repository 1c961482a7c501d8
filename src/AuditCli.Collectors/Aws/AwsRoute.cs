using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Builds the route to AWS by the rules of the AWS command line: its proxy variables, and its certificate bundle instead of the system's
/// authorities.
/// </summary>
internal static class AwsRoute
{
    private const string BundleVariable = "AWS_CA_BUNDLE";

    /// <summary>Returns the route of a target.</summary>
    /// <param name="profile">The profile in effect; null for the default profile.</param>
    /// <exception cref="CollectionException">A proxy or certificate bundle is configured but cannot be used.</exception>
    public static Route Of(string? profile)
    {
        const string Next = $"{BundleVariable}, or ca_bundle of the profile, can name a PEM file with the authorities to trust, "
            + "such as those of a proxy that inspects TLS";
        var trust = Bundle(profile ?? "default") is var (file, from) ? ServerTrust.OnlyFile(file, from, Next) : ServerTrust.System(Next);
        return new(StatedProxy.OfEnvironment(ProxyHabit.Python), trust);
    }

    /// <summary>
    /// Copies <c>AWS_DEFAULT_PROFILE</c> to <c>AWS_PROFILE</c>. The AWS command line reads the former first and the SDK not at all: without
    /// this the SDK would use the default profile, and read another account than the command line does.
    /// </summary>
    public static void NameDefaultProfile()
    {
        if (Environment.GetEnvironmentVariable("AWS_DEFAULT_PROFILE") is { Length: > 0 } named)
            Environment.SetEnvironmentVariable("AWS_PROFILE", named);
    }

    /// <summary>Returns the bundle in effect, by the precedence of the AWS command line, and the setting that names it.</summary>
    private static (string File, string From)? Bundle(string profile) =>
        Environment.GetEnvironmentVariable(BundleVariable) is { Length: > 0 } variable ? (variable, BundleVariable)
        : OfProfile(profile) is { } own ? (own, $"ca_bundle of the AWS profile {profile}")
        : Environment.GetEnvironmentVariable("REQUESTS_CA_BUNDLE") is { Length: > 0 } requests ? (requests, "REQUESTS_CA_BUNDLE")
        : null;

    /// <summary>
    /// Returns <c>ca_bundle</c> of a profile. The credentials file takes precedence over the config file, as for every other key of a
    /// profile.
    /// </summary>
    private static string? OfProfile(string profile) =>
        Setting(AwsFiles.Credentials, [profile])
        ?? Setting(AwsFiles.Config, profile == "default" ? ["default", "profile default"] : [$"profile {profile}"]);

    /// <summary>
    /// Returns the value of <c>ca_bundle</c> in one of the sections. Indented lines are skipped; they belong to the key above them.
    /// </summary>
    private static string? Setting(string file, string[] sections)
    {
        if (!File.Exists(file))
            return null;
        string? found = null;
        var inside = false;
        try
        {
            foreach (var line in File.ReadLines(file))
            {
                if (line.Length == 0 || line[0] is '#' or ';' or ' ' or '\t')
                    continue;
                if (line[0] == '[')
                {
                    inside = sections.Contains(
                        string.Join(' ', line.Split(']')[0].TrimStart('[').Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                            .Replace("\"", "", StringComparison.Ordinal));
                }
                else if (inside && line.Split('=', 2) is [var key, var value] && key.Trim() == "ca_bundle" && value.Trim() is { Length: > 0 } named)
                {
                    found = HomePath.Expanded(named);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CollectionException(Codes.NoCredentials, $"the AWS configuration {file} cannot be read: {e.Message}", e);
        }
        return found;
    }
}
