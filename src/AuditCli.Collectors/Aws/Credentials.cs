using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>Obtains the credentials of a target from the SDK's default chain; not used in a replay.</summary>
internal sealed class Credentials
{
    private const string SessionName = "auditcli";

    /// <summary>Each of these variables names a source of credentials.</summary>
    private static readonly string[] CredentialVariables =
    [
        "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ];

    private readonly AsyncLocal<Route?> _route;
    private readonly PipelineFactory _factory;

    public Credentials(TimeProvider clock, Action<CredentialExchange> seen)
    {
        var usual = new Lazy<Route>(() => AwsRoute.Of(null));
        var current = _route = new();
        _factory = new(new AwsCredentialPipeline(clock, seen, () => current.Value ?? usual.Value));
    }

    /// <summary>
    /// Makes the clients that the SDK creates itself (SSO, a profile's role, web identity) use the same guarded pipeline.
    /// </summary>
    public void GuardClientsOfTheSdk()
    {
        AwsRoute.NameDefaultProfile();
        AWSConfigs.HttpClientFactory = _factory;
    }

    /// <summary>
    /// Sets the route for credential requests in this async flow. The SDK's clients do not say for which target they send a request.
    /// </summary>
    public void Follow(Route route) => _route.Value = route;

    /// <summary>Returns the route of a target, whose profile may name a certificate bundle.</summary>
    /// <exception cref="CollectionException">
    /// A proxy or certificate bundle is configured but cannot be used, or a file of the SDK is not a regular file.
    /// </exception>
    public static Route RouteOf(Target target)
    {
        AwsFiles.RequireRegular(target.Label);
        return AwsRoute.Of(target.Setting("profile") ?? Environment.GetEnvironmentVariable("AWS_PROFILE"));
    }

    /// <summary>Returns the credentials, and the region named by profile or environment.</summary>
    /// <exception cref="CollectionException">There are no credentials, or the role may not be assumed.</exception>
    public async Task<(AWSCredentials Credentials, string? Region)> ResolveAsync(Target target, Route route, CancellationToken cancellationToken)
    {
        Follow(route);
        var (credentials, region) = await SourceAsync(target, cancellationToken);
        foreach (var role in target.Settings.GetValueOrDefault("role_arn", []))
            credentials = await AssumeAsync(target, credentials, role, region);
        return (credentials, region);
    }

    /// <summary>
    /// Returns the credentials of a role, along the route of this flow. The target's external id is sent if it has one; a role that does
    /// not require one ignores it.
    /// </summary>
    /// <exception cref="CollectionException">The role may not be assumed.</exception>
    public async Task<AWSCredentials> AssumeAsync(Target target, AWSCredentials source, string role, string? region)
    {
        var assumed = new AssumedRole(source, role, target.Setting("external_id"), target.Setting("profile"), region ?? "us-east-1", _factory);
        // Assume the role now: otherwise a refusal would be reported as a failure of the first call that needs the role.
        await Named(
            $"{target.Label}: assuming {role}",
            $"the caller needs sts:AssumeRole on it, "
                + $"and its trust policy must name the caller{(target.Setting("external_id") is null ? "" : " and the target's external id")}",
            assumed.GetCredentialsAsync);
        return assumed;
    }

    private static async Task<(AWSCredentials, string?)> SourceAsync(Target target, CancellationToken cancellationToken)
    {
        if (target.Setting("profile") is { } name)
        {
            var chain = new CredentialProfileStoreChain();
            if (!chain.TryGetProfile(name, out var profile))
            {
                throw new CollectionException(
                    Codes.NoCredentials,
                    $"{target.Label}: there is no AWS profile named {name}; `aws configure list-profiles` lists the existing ones");
            }
            AwsFiles.RequireRegularOf(target.Label, name, chain);
            var next = profile.Options.SsoAccountId is null && profile.Options.SsoSession is null
                ? $"`aws sts get-caller-identity --profile {name}` tests the profile without AuditCli"
                : $"`aws sso login --profile {name}` signs in again";
            var fromProfile = await Had(
                $"{target.Label}: the AWS profile {name}", next, () => Task.FromResult(AWSCredentialsFactory.GetAWSCredentials(profile, chain)));
            return (fromProfile, profile.Region?.SystemName);
        }
        AwsFiles.RequireRegularOf(target.Label, Environment.GetEnvironmentVariable("AWS_PROFILE"), new());
        var config = new AmazonSecurityTokenServiceConfig();
        var region = NamedRegion();
        if (region is not null)
            config.RegionEndpoint = region;
        var found = await Had(
            $"{target.Label}: the environment's credentials",
            EnvironmentStep(),
            () => new DefaultAWSCredentialsIdentityResolver().ResolveIdentityAsync(config, cancellationToken));
        return (found, (region ?? (IsLeftToTheInstance() ? FallbackRegionFactory.GetRegionEndpoint() : null))?.SystemName);
    }

    /// <summary>Whether the metadata service of an EC2 instance is the only remaining source of credentials.</summary>
    private static bool IsLeftToTheInstance() =>
        CredentialVariables.All(n => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(n)))
            && !new CredentialProfileStoreChain().TryGetProfile("default", out _);

    /// <summary>
    /// Returns the region named by environment or profile, or null. The instance metadata service is not queried: on any other machine that
    /// takes seconds, and a read-only tool should not contact endpoints that were not configured.
    /// </summary>
    private static RegionEndpoint? NamedRegion() =>
        new[] { "AWS_REGION", "AWS_DEFAULT_REGION" }.Select(Environment.GetEnvironmentVariable).FirstOrDefault(r => !string.IsNullOrWhiteSpace(r)) is { } named
            ? RegionEndpoint.GetBySystemName(named.Trim())
            : FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false);

    /// <summary>
    /// Resolves the credentials and fetches them once, so that a failure is reported as theirs and not as that of the first call.
    /// </summary>
    private static Task<AWSCredentials> Had(string what, string next, Func<Task<AWSCredentials>> resolve) => Named(what, next, async () =>
    {
        var found = await resolve();
        await found.GetCredentialsAsync();
        return found;
    });

    private static string EnvironmentStep() =>
        Environment.GetEnvironmentVariable("AWS_WEB_IDENTITY_TOKEN_FILE") is not null
            ? "AWS_WEB_IDENTITY_TOKEN_FILE names the file of a token that is still valid, and AWS_ROLE_ARN a role that trusts its issuer"
        : new[] { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" }
            .FirstOrDefault(n => Environment.GetEnvironmentVariable(n) is not null) is { } container
            ? $"{container} says where the container's credentials are, and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE with which token"
        : Environment.GetEnvironmentVariable("AWS_PROFILE") is { } profile
            ? $"AWS_PROFILE is {profile}: `aws sts get-caller-identity` tests it without AuditCli, `aws sso login` signs in again"
        : "set AWS_PROFILE, or sign in with `aws sso login`; `aws configure list-profiles` lists the existing profiles";

    /// <summary>
    /// Returns the first line of a message, without the announcement of a list that follows it. The SDK lists what each of its sources of
    /// credentials lacks, which would hide the next step behind sources that nobody set up.
    /// </summary>
    private static string FirstLine(string message)
    {
        var line = message.Split('\n')[0].TrimEnd();
        return line.EndsWith(':') && line.LastIndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? line[..end] : line;
    }

    private static async Task<T> Named<T>(string what, string next, Func<Task<T>> resolve)
    {
        try
        {
            return await resolve();
        }
        catch (Exception e) when (AwsFailures.IsKnown(e) || e is InvalidOperationException or InvalidDataException or ArgumentException)
        {
            var known = AwsFailures.IsKnown(e) ? AwsFailures.Map(what, e) : new(Codes.NoCredentials, $"{what}: {e.Message}", e);
            var said = known.Message.StartsWith(what, StringComparison.Ordinal) ? known.Message : $"{what}: {known.Message}";
            throw new CollectionException(
                known.Code == AwsCodes.ClientFailed ? Codes.NoCredentials : known.Code, $"{FirstLine(said).TrimEnd('.')}; {next}", e);
        }
    }

    /// <summary>The credentials of a role, renewed before they expire.</summary>
    private sealed class AssumedRole : RefreshingAWSCredentials
    {
        private static readonly TimeSpan RenewedBefore = TimeSpan.FromMinutes(5);
        private readonly AWSCredentials _source;
        private readonly string _role;
        private readonly string? _externalId;
        private readonly string? _profile;
        private readonly string _region;
        private readonly PipelineFactory _factory;

        public AssumedRole(AWSCredentials source, string role, string? externalId, string? profile, string region, PipelineFactory factory)
        {
            (_source, _role, _externalId, _profile, _region, _factory) = (source, role, externalId, profile, region, factory);
            ExpirationBuffer = RenewedBefore;
        }

        protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
        {
            var config = new AmazonSecurityTokenServiceConfig();
            if (_profile is not null)
                config.Profile = new Profile(_profile);
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(_region);
            if (AwsServiceConfig.Stated(config.ServiceURL) is { } url)
            {
                config.ServiceURL = url;
                config.AuthenticationRegion = _region;
            }
            config.HttpClientFactory = _factory;
            using var client = new AmazonSecurityTokenServiceClient(_source, config);
            var answer = await client.AssumeRoleAsync(new AssumeRoleRequest { RoleArn = _role, RoleSessionName = SessionName, ExternalId = _externalId });
            var expires = answer.Credentials.Expiration ?? throw new AmazonClientException($"the credentials of {_role} do not say when they expire");
            return new(
                new ImmutableCredentials(answer.Credentials.AccessKeyId, answer.Credentials.SecretAccessKey, answer.Credentials.SessionToken),
                expires.ToUniversalTime());
        }

        protected override CredentialsRefreshState GenerateNewCredentials() => GenerateNewCredentialsAsync().GetAwaiter().GetResult();
    }
}
