using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>
/// Calls any operation of one service through the SDK's own runtime, with its credentials, signing and retry rules, and the catalogue's
/// shapes.
/// </summary>
internal sealed class AwsServiceClient : AmazonServiceClient
{
    private readonly InvokeOptions _options;
    private readonly ServiceModel _service;

    /// <param name="pipeline">The guard and the handlers below it.</param>
    /// <param name="waits">The waits between attempts.</param>
    /// <param name="renew">See <see cref="CallAttempts"/>.</param>
    /// <param name="pace">See <see cref="CallAttempts"/>.</param>
    public AwsServiceClient(
        ServiceModel service, AWSCredentials credentials, AwsServiceConfig config, HttpMessageHandler pipeline, RetryWaits waits, Func<string, Task> renew,
        Func<string, RequestPace?> pace)
        : base(credentials, WithPipeline(config, pipeline))
    {
        _service = service;
        _options = new() { RequestMarshaller = new CallMarshaller(), ResponseUnmarshaller = new AnswerUnmarshaller(service.Protocol) };
        // Replaced here: the base constructor builds the pipeline before this class has the waits.
        RuntimePipeline.ReplaceHandler<RetryHandler>(new CallAttempts(config, waits, renew, pace));
    }

    /// <summary>The endpoint given by the environment, the profile or a recording; null for the catalogue's.</summary>
    public Uri? OwnEndpoint => ((AwsServiceConfig)Config).OwnEndpoint is { } url ? new(url) : null;

    protected override IServiceMetadata ServiceMetadata => new Metadata(Config.ServiceId);

    /// <summary>Makes one call, including retries.</summary>
    /// <param name="parameters">The parameters, checked by <see cref="ParameterCheck"/>.</param>
    public async Task<AwsAnswer> CallAsync(OperationModel operation, JsonObject parameters, CancellationToken cancellationToken)
    {
        var result = await InvokeAsync<AwsCallResult>(new AwsCall(_service, operation, parameters), _options, cancellationToken);
        return result.Answer;
    }

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new CatalogueEndpointResolver());
        pipeline.AddHandlerAfter<RetryHandler>(new CatalogueAuth());
        pipeline.AddHandlerAfter<Unmarshaller>(new WholeBody());
    }

    private static AwsServiceConfig WithPipeline(AwsServiceConfig config, HttpMessageHandler pipeline)
    {
        config.HttpClientFactory = new PipelineFactory(pipeline);
        return config;
    }

    private sealed class Metadata(string serviceId) : IServiceMetadata
    {
        public string ServiceId => serviceId;
        public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
    }
}

/// <summary>Creates one HttpClient per client on the given pipeline, instead of one from the SDK's process-wide cache.</summary>
internal sealed class PipelineFactory(HttpMessageHandler pipeline) : Amazon.Runtime.HttpClientFactory
{
    // The recorder limits the time of each attempt, so that a timeout is recorded like every other failure.
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
        new(pipeline, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;
}
