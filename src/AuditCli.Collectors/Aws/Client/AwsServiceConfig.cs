using System.Collections.ObjectModel;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util.Internal;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>The SDK's configuration for one service in one region, driven by the catalogue.</summary>
internal sealed class AwsServiceConfig : ClientConfig
{
    /// <summary>Attempts at one call, the first included.</summary>
    public const int Attempts = 3;

    private readonly ServiceModel _service;
    private readonly string _userAgent;

    /// <param name="profile">Whose settings count (retries excepted); null for the environment's.</param>
    /// <param name="endpoint">Where everything is sent; null for what environment and profile say, else the provider's own.</param>
    public AwsServiceConfig(ServiceModel service, string region, string? profile, Uri? endpoint, bool replay)
        : base(new DefaultConfigurationProvider(new ReadOnlyCollection<IDefaultConfiguration>([new DefaultConfiguration
        {
            Name = DefaultConfigurationMode.Standard,
            RetryMode = RequestRetryMode.Standard,
            S3UsEast1RegionalEndpoint = S3UsEast1RegionalEndpointValue.Regional,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            TlsNegotiationTimeout = TimeSpan.FromSeconds(10),
        }])))
    {
        _service = service;
        _userAgent = InternalSDKUtils.BuildUserAgentString(service.Id, typeof(AwsServiceConfig).Assembly.GetName().Version?.ToString(3) ?? "0");
        ServiceId = service.Id;
        Region = region;
        AuthenticationServiceName = service.SigningName;
        EndpointProvider = new CatalogueEndpoints(service);
        MaxErrorRetry = Attempts - 1;
        RetryMode = RequestRetryMode.Standard;
        IgnoreConfiguredEndpointUrls = replay;
        if (profile is not null && !replay)
            Profile = new Profile(profile);
        // First, because an SDK without a region asks the instance's metadata for one, for seconds where there is none, and setting a region
        // afterwards would forget the endpoint that environment or profile name.
        RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        var url = endpoint?.GetLeftPart(UriPartial.Authority) ?? (replay ? null : Stated(ServiceURL));
        if (url is not null)
        {
            ServiceURL = url;
            AuthenticationRegion = region;
            // A name put before an emulator's host leads nowhere, and a recorded host already has it.
            DisableHostPrefixInjection = true;
        }
    }

    public string Region { get; }

    /// <summary>The address that environment or profile name, without a user, a password and a query; null where they name none.</summary>
    /// <exception cref="CollectionException">It is no address to which anything can be sent; the message does not repeat it.</exception>
    public static string? Stated(string? url)
    {
        if (string.IsNullOrEmpty(url))
            return null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var given) || given.Scheme is not ("http" or "https"))
        {
            throw new CollectionException(
                AwsFailures.InvalidEndpoint, "AWS_ENDPOINT_URL, a variable that begins so, or endpoint_url of the profile must be an http or https address");
        }
        var plain = given.WithoutCredentials();
        return ReferenceEquals(plain, given) ? url : plain.AbsoluteUri;
    }

    /// <summary>The endpoint that was named instead of the provider's own; null when none was.</summary>
    public string? OwnEndpoint => ServiceURL;

    public override string RegionEndpointServiceName => _service.EndpointPrefix;
    public override string ServiceVersion => _service.Version;
    public override string UserAgent => _userAgent;

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        EndpointProvider.ResolveEndpoint(CatalogueEndpoints.Parameters(this, parameters.AlternateEndpoint));
}
