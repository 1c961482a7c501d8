using System.Collections.ObjectModel;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util.Internal;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>The SDK's configuration for one service in one region, set from the catalogue.</summary>
internal sealed class AwsServiceConfig : ClientConfig
{
    /// <summary>The number of attempts at one call, including the first.</summary>
    public const int Attempts = 3;

    private readonly ServiceModel _service;
    private readonly string _userAgent;

    /// <param name="profile">The profile whose settings apply (except those for retries); null for the environment's.</param>
    /// <param name="endpoint">
    /// The endpoint for all requests; null for the one that environment or profile name, or else the provider's own.
    /// </param>
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
        // Set the region first: without one, the SDK queries the instance metadata service, which takes seconds on other machines, and
        // setting it later would discard the endpoint that environment or profile name.
        RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        var url = endpoint?.GetLeftPart(UriPartial.Authority) ?? (replay ? null : Stated(ServiceURL));
        if (url is not null)
        {
            ServiceURL = url;
            AuthenticationRegion = region;
            // A prefix on an emulator's host would not resolve, and a recorded host already has it.
            DisableHostPrefixInjection = true;
        }
    }

    public string Region { get; }

    /// <summary>
    /// Returns the endpoint that environment or profile name, without user, password and query; null if they do not name one.
    /// </summary>
    /// <exception cref="CollectionException">The value is not an http or https URL; the message does not repeat it.</exception>
    public static string? Stated(string? url)
    {
        if (string.IsNullOrEmpty(url))
            return null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var given) || given.Scheme is not ("http" or "https"))
        {
            throw new CollectionException(
                Codes.InvalidEndpoint, "AWS_ENDPOINT_URL, a variable that begins so, or endpoint_url of the profile must be an http or https address");
        }
        var plain = given.WithoutCredentials();
        return ReferenceEquals(plain, given) ? url : plain.AbsoluteUri;
    }

    /// <summary>The endpoint configured instead of the provider's own; null if there is none.</summary>
    public string? OwnEndpoint => ServiceURL;

    public override string RegionEndpointServiceName => _service.EndpointPrefix;
    public override string ServiceVersion => _service.Version;
    public override string UserAgent => _userAgent;

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        EndpointProvider.ResolveEndpoint(CatalogueEndpoints.Parameters(this, parameters.AlternateEndpoint));
}
