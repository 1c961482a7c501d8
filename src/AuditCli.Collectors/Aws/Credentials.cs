using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The pipeline of everything that hands out credentials, apart from the one that is recorded. It lets the named
/// exchanges through and nothing else.
/// </summary>
internal sealed class CredentialPipeline(TimeProvider clock, Action<CredentialExchange> seen) : DelegatingHandler(new SocketsHttpHandler
{
    AllowAutoRedirect = false,
    UseCookies = false,
    ConnectTimeout = TimeSpan.FromSeconds(10),
})
{
    /// <summary>From sending to the last byte. Nobody above sets a limit.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly string[] StsActions = ["AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var operation = await OperationAsync(request, cancellationToken)
            ?? throw new Http.ExchangeRefusedException(Http.ExchangeRefusedException.ReadOnly,
                $"{request.Method} {request.RequestUri?.GetLeftPart(UriPartial.Path)} is no exchange of credentials");
        var date = clock.GetUtcNow();
        var status = 0;
        using var late = new CancellationTokenSource(Longest);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            var response = await base.SendAsync(request, either.Token);
            await response.Content.LoadIntoBufferAsync(either.Token);
            status = (int)response.StatusCode;
            return response;
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(HttpRequestError.Unknown, $"{operation} was not answered", new TimeoutException($"there was no whole answer within {Longest.TotalSeconds} s", e));
        }
        finally
        {
            seen(new(date, new(request.RequestUri!.GetLeftPart(UriPartial.Path)), operation, status));
        }
    }

    private static async Task<string?> OperationAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (request.Method == HttpMethod.Get)
            return path.EndsWith("/federation/credentials", StringComparison.Ordinal) ? "sso:GetRoleCredentials" : null;
        if (path is "/token" or "/client/register" or "/device_authorization")
            return "sso-oidc:" + path[1..];
        if (request.Content is not { } content)
            return null;
        var form = await content.ReadAsStringAsync(cancellationToken);
        var action = form.Split('&').FirstOrDefault(p => p.StartsWith("Action=", StringComparison.Ordinal))?["Action=".Length..];
        return StsActions.Contains(action) ? "sts:" + action : null;
    }
}

/// <summary>The credentials of a target, from the SDK's own chain; none in a replay.</summary>
internal sealed class Credentials(TimeProvider clock, Action<CredentialExchange> seen)
{
    private const string SessionName = "auditcli";
    private readonly PipelineFactory _factory = new(new CredentialPipeline(clock, seen));

    /// <summary>Clients that the SDK makes itself (SSO, a profile's role, web identity) take the same guarded path.</summary>
    public void GuardClientsOfTheSdk() => AWSConfigs.HttpClientFactory = _factory;

    /// <summary>Credentials, and the region that profile or environment name.</summary>
    /// <exception cref="CollectionException">There are none, or the role may not be assumed.</exception>
    public async Task<(AWSCredentials Credentials, string? Region)> ResolveAsync(Target target, CancellationToken cancellationToken)
    {
        var (credentials, region) = await SourceAsync(target, cancellationToken);
        foreach (var role in target.Settings.GetValueOrDefault("role_arn", []))
            credentials = await AssumeAsync(target, credentials, role, region);
        return (credentials, region);
    }

    /// <summary>The credentials of a role, with the target's external id where it has one; a role that does not ask for one ignores it.</summary>
    /// <exception cref="CollectionException">It may not be assumed.</exception>
    public async Task<AWSCredentials> AssumeAsync(Target target, AWSCredentials source, string role, string? region)
    {
        var assumed = new AssumedRole(source, role, target.Setting("external_id"), target.Setting("profile"), region ?? "us-east-1", _factory);
        // Now, so that a refusal is reported as what it is and not by the first call that needs the role.
        await Named(
            $"target {target.Name}: assuming {role}",
            $"whoever assumes it needs sts:AssumeRole on it, and its trust policy must name them{(target.Setting("external_id") is null ? "" : " and the target's external id")}",
            assumed.GetCredentialsAsync);
        return assumed;
    }

    private static async Task<(AWSCredentials, string?)> SourceAsync(Target target, CancellationToken cancellationToken)
    {
        if (target.Setting("profile") is { } name)
        {
            var chain = new CredentialProfileStoreChain();
            if (!chain.TryGetProfile(name, out var profile))
                throw new CollectionException(AwsFailures.NoCredentials, $"target {target.Name}: there is no AWS profile named {name}; `aws configure list-profiles` lists those there are");
            var next = profile.Options.SsoAccountId is null && profile.Options.SsoSession is null
                ? $"`aws sts get-caller-identity --profile {name}` tries the profile without AuditCli"
                : $"`aws sso login --profile {name}` signs in again";
            return (await Had($"target {target.Name}: the AWS profile {name}", next, () => Task.FromResult(AWSCredentialsFactory.GetAWSCredentials(profile, chain))), profile.Region?.SystemName);
        }
        var config = new AmazonSecurityTokenServiceConfig();
        var region = config.RegionEndpoint?.SystemName;
        var found = await Had(
            $"target {target.Name}: the environment's credentials", EnvironmentStep(), () => new DefaultAWSCredentialsIdentityResolver().ResolveIdentityAsync(config, cancellationToken));
        return (found, region);
    }

    /// <summary>The credentials once something has come of them, so that a failure is told as theirs and not as that of the first call.</summary>
    private static Task<AWSCredentials> Had(string what, string next, Func<Task<AWSCredentials>> resolve) => Named(what, next, async () =>
    {
        var found = await resolve();
        await found.GetCredentialsAsync();
        return found;
    });

    private static string EnvironmentStep() =>
        Environment.GetEnvironmentVariable("AWS_WEB_IDENTITY_TOKEN_FILE") is not null
            ? "AWS_WEB_IDENTITY_TOKEN_FILE names the file of a token that is still valid, and AWS_ROLE_ARN a role that trusts its issuer"
        : new[] { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" }.FirstOrDefault(n => Environment.GetEnvironmentVariable(n) is not null) is { } container
            ? $"{container} says where the container's credentials are, and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE with which token"
        : Environment.GetEnvironmentVariable("AWS_PROFILE") is { } profile
            ? $"AWS_PROFILE is {profile}: `aws sts get-caller-identity` tries it without AuditCli, `aws sso login` signs in again"
        : "set AWS_PROFILE, or give the target a profile; `aws configure list-profiles` lists those there are";

    private static async Task<T> Named<T>(string what, string next, Func<Task<T>> resolve)
    {
        try
        {
            return await resolve();
        }
        catch (Exception e) when (AwsFailures.IsKnown(e) || e is InvalidOperationException or InvalidDataException or ArgumentException)
        {
            var known = AwsFailures.IsKnown(e) ? AwsFailures.Map(what, e) : new(AwsFailures.NoCredentials, $"{what}: {e.Message}", e);
            var said = known.Message.StartsWith(what, StringComparison.Ordinal) ? known.Message : $"{what}: {known.Message}";
            throw new CollectionException(known.Code == AwsFailures.ClientFailed ? AwsFailures.NoCredentials : known.Code, $"{said.TrimEnd('.')}; {next}", e);
        }
    }

    /// <summary>Credentials of a role, renewed before they expire.</summary>
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
            // In this order: asking for the region afterwards would forget the endpoint that environment or profile name.
            _ = config.RegionEndpoint;
            if (config.ServiceURL is { } url)
            {
                config.ServiceURL = url;
                config.AuthenticationRegion = _region;
            }
            else
                config.RegionEndpoint = RegionEndpoint.GetBySystemName(_region);
            config.HttpClientFactory = _factory;
            using var client = new AmazonSecurityTokenServiceClient(_source, config);
            var answer = await client.AssumeRoleAsync(new AssumeRoleRequest { RoleArn = _role, RoleSessionName = SessionName, ExternalId = _externalId });
            var expires = answer.Credentials.Expiration ?? throw new AmazonClientException($"the credentials of {_role} do not say when they expire");
            return new(new ImmutableCredentials(answer.Credentials.AccessKeyId, answer.Credentials.SecretAccessKey, answer.Credentials.SessionToken), expires.ToUniversalTime());
        }

        protected override CredentialsRefreshState GenerateNewCredentials() => GenerateNewCredentialsAsync().GetAwaiter().GetResult();
    }
}
