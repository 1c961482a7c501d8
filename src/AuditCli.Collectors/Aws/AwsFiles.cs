using Amazon.Runtime.CredentialManagement;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The files from which the SDK takes profiles and credentials. It opens them by itself and without a time limit, so that a pipe to which nobody
/// writes would stop the program without a word.
/// </summary>
internal static class AwsFiles
{
    /// <summary>The files that a variable names; the SDK opens them when nothing before them in its chain has credentials.</summary>
    private static readonly string[] TokenVariables = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

    public static string Credentials => Location("AWS_SHARED_CREDENTIALS_FILE", "credentials");

    public static string Config => Location("AWS_CONFIG_FILE", "config");

    /// <summary>Checks every file that does not depend on a profile. It comes before all else that reads a profile.</summary>
    /// <exception cref="CollectionException">One is not a regular file; the message names it.</exception>
    public static void RequireRegular(string label)
    {
        Require(label, "the AWS credentials", Credentials);
        Require(label, "the AWS configuration", Config);
        // Without AWS_CONFIG_FILE the SDK takes the one beside the credentials.
        Require(label, "the AWS configuration", Path.Combine(Path.GetDirectoryName(Credentials) ?? "", "config"));
        foreach (var variable in TokenVariables)
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file)
                Require(label, $"the token of {variable},", file);
        }
        var logins = Environment.GetEnvironmentVariable("AWS_LOGIN_CACHE_DIRECTORY") is { Length: > 0 } named ? named : InHome("login", "cache");
        foreach (var folder in new[] { InHome("sso", "cache"), logins }.Where(Directory.Exists))
        {
            foreach (var login in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
                Require(label, "the login", login);
        }
    }

    /// <summary>Checks the tokens of a profile and of those from which it takes credentials.</summary>
    /// <param name="name">The profile; null for the default one.</param>
    /// <exception cref="CollectionException">One is not a regular file; the message names it.</exception>
    public static void RequireRegularOf(string label, string? name, CredentialProfileStoreChain chain)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var next = name ?? "default"; next is not null && seen.Add(next);)
        {
            if (!chain.TryGetProfile(next, out var profile))
                return;
            if (profile.Options.WebIdentityTokenFile is { Length: > 0 } file)
                Require(label, $"the token of web_identity_token_file of the AWS profile {next},", file);
            next = profile.Options.SourceProfile;
        }
    }

    private static void Require(string label, string what, string file)
    {
        if (RegularFile.WhyNot(file) is { } why)
            throw new CollectionException(Codes.NoCredentials, $"{label}: {what} {file} {why}");
    }

    private static string Location(string variable, string name) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named
        ? HomePath.Expanded(named)
        : InHome(name);

    private static string InHome(params string[] below) => Path.Combine([HomePath.Folder, ".aws", .. below]);
}
