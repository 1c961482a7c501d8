using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Aws;

/// <summary>The way to AWS as the AWS command line takes it: its proxy variables, and its certificate bundle in place of the system's authorities.</summary>
internal static class AwsRoute
{
    private const string BundleVariable = "AWS_CA_BUNDLE";

    /// <summary>The route of a target.</summary>
    /// <param name="profile">The profile that counts; null for the default one.</param>
    /// <exception cref="CollectionException">A proxy or a bundle of certificates is stated that cannot be used.</exception>
    public static Route Of(string? profile)
    {
        const string Next = $"{BundleVariable}, or ca_bundle of the profile, can name a PEM file with the authorities to trust, such as those of a proxy that opens TLS";
        var trust = Bundle(profile ?? "default") is var (file, from) ? ServerTrust.OnlyFile(file, from, Next) : ServerTrust.System(Next);
        return new(StatedProxy.OfEnvironment(ProxyHabit.Python), trust);
    }

    /// <summary>
    /// Lets <c>AWS_DEFAULT_PROFILE</c> count, which the AWS command line reads before <c>AWS_PROFILE</c> and the SDK not at all: without it the SDK
    /// would take the default profile, and read another account than the command line does.
    /// </summary>
    public static void NameDefaultProfile()
    {
        if (Environment.GetEnvironmentVariable("AWS_DEFAULT_PROFILE") is { Length: > 0 } named)
            Environment.SetEnvironmentVariable("AWS_PROFILE", named);
    }

    /// <summary>The bundle that counts, in the order of the AWS command line, and what names it.</summary>
    private static (string File, string From)? Bundle(string profile) =>
        Environment.GetEnvironmentVariable(BundleVariable) is { Length: > 0 } variable ? (variable, BundleVariable)
        : OfProfile(profile) is { } own ? (own, $"ca_bundle of the AWS profile {profile}")
        : Environment.GetEnvironmentVariable("REQUESTS_CA_BUNDLE") is { Length: > 0 } requests ? (requests, "REQUESTS_CA_BUNDLE")
        : null;

    /// <summary>The file of credentials wins over that of settings, as for every other key of a profile.</summary>
    private static string? OfProfile(string profile) =>
        Setting(Location("AWS_SHARED_CREDENTIALS_FILE", "credentials"), [profile]) ?? Setting(Location("AWS_CONFIG_FILE", "config"), profile == "default" ? ["default", "profile default"] : [$"profile {profile}"]);

    private static string Location(string variable, string name) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named
        ? Expanded(named)
        : Path.Combine(Home, ".aws", name);

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string Expanded(string path) => path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Home, path[2..]) : path;

    /// <summary>The value of ca_bundle in one of the sections; indented lines belong to the key above them.</summary>
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
                    inside = sections.Contains(string.Join(' ', line.Split(']')[0].TrimStart('[').Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)).Replace("\"", "", StringComparison.Ordinal));
                else if (inside && line.Split('=', 2) is [var key, var value] && key.Trim() == "ca_bundle" && value.Trim() is { Length: > 0 } named)
                    found = Expanded(named);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CollectionException(Client.AwsFailures.NoCredentials, $"the AWS configuration {file} cannot be read: {e.Message}", e);
        }
        return found;
    }
}
