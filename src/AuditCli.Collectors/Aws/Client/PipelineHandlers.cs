using System.Net;
using System.Text.Json;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.EventStreams;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Transform;
using AuditCli.Collectors.Aws.Catalogue;
using static Amazon.Runtime.Internal.Endpoints.StandardLibrary.Fn;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>Writes a call in its wire protocol.</summary>
internal sealed class CallMarshaller : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var call = (AwsCall)input;
        var request = new DefaultRequest(call, call.Service.Id);
        Protocols.RequestWriter.Write(request, call.Service, call.Operation, call.Parameters);
        return request;
    }
}

/// <summary>Resolves a service's endpoint from its catalogue file.</summary>
internal sealed class CatalogueEndpoints(ServiceModel service) : IEndpointProvider
{
    /// <exception cref="AmazonClientException">The region is unknown, or has no endpoint of the required kind.</exception>
    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        if (parameters["Endpoint"] is string { Length: > 0 } url)
            return new(url);
        var region = (string)parameters["Region"]!;
        var fips = (bool)parameters["UseFIPS"]!;
        var dualStack = (bool)parameters["UseDualStack"]!;
        var partition = Partition(region) ?? throw new AmazonClientException($"{region} is not a region");
        var rule = service.Endpoint(partition.name, region, fips, dualStack)
            ?? throw new AmazonClientException($"{service.Name} has no {(fips ? "FIPS " : "")}{(dualStack ? "dual-stack " : "")}endpoint in {region}");
        if (rule.SigningRegion is not { } signing)
            return new(rule.Url);
        var properties = JsonSerializer.Serialize(
            new { authSchemes = new[] { new { name = "sigv4", signingName = service.SigningName, signingRegion = signing } } });
        return new(rule.Url, properties, "{}");
    }

    public static EndpointParameters Parameters(IClientConfig config, RegionEndpoint? alternative) => new()
    {
        ["Region"] = alternative?.SystemName ?? config.RegionEndpoint?.SystemName ?? config.AuthenticationRegion,
        ["UseDualStack"] = config.UseDualstackEndpoint,
        ["UseFIPS"] = config.UseFIPSEndpoint,
        ["Endpoint"] = config.ServiceURL,
    };
}

/// <summary>Sets the endpoint of the request.</summary>
internal sealed class CatalogueEndpointResolver : BaseEndpointResolver
{
    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext) =>
        CatalogueEndpoints.Parameters(requestContext.ClientConfig, requestContext.Request.AlternateEndpoint);

    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters)
    {
        var context = executionContext.RequestContext;
        var call = (AwsCall)context.OriginalRequest;
        // S3 signs the path as it is sent; every other service signs it encoded once more.
        if (call.Service.Name == "s3")
            context.Request.UseDoubleEncoding = false;
        InjectHostPrefix(context);
    }
}

/// <summary>Signs every call with Signature Version 4, except the few operations that the service requires unsigned.</summary>
internal sealed class CatalogueAuth : BaseAuthResolverHandler
{
    protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) =>
    [
        new AuthSchemeOption
        {
            SchemeId = ((AwsCall)executionContext.RequestContext.OriginalRequest).Operation.Unsigned ? "smithy.api#noAuth" : "aws.auth#sigv4",
        },
    ];
}

/// <summary>Reads the body asynchronously before it is unmarshalled; the SDK would block a thread.</summary>
internal sealed class WholeBody : PipelineHandler
{
    public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        var result = await base.InvokeAsync<T>(executionContext);
        if (executionContext.ResponseContext.HttpResponse is { } response)
        {
            await using var stream = await response.ResponseBody.OpenResponseAsync();
            var body = new MemoryStream((int)Math.Max(0, response.ContentLength));
            await stream.CopyToAsync(body, executionContext.RequestContext.CancellationToken);
            body.Position = 0;
            response.ResponseBody.Dispose();
            executionContext.ResponseContext.HttpResponse = new WholeResponse(response, body);
        }
        return result;
    }

    private sealed class WholeResponse(IWebResponseData response, MemoryStream body) : IWebResponseData, IHttpResponseBody
    {
        public long ContentLength => body.Length;
        public string ContentType => response.ContentType;
        public HttpStatusCode StatusCode => response.StatusCode;
        public bool IsSuccessStatusCode => response.IsSuccessStatusCode;
        public IHttpResponseBody ResponseBody => this;
        public string[] GetHeaderNames() => response.GetHeaderNames();
        public bool IsHeaderPresent(string headerName) => response.IsHeaderPresent(headerName);
        public string GetHeaderValue(string headerName) => response.GetHeaderValue(headerName);
        public IEventStreamHeader GetEventStreamHeader(string headerName) => response.GetEventStreamHeader(headerName);
        public bool IsEventHeaderPresent(string headerName) => response.IsEventHeaderPresent(headerName);
        public Stream OpenResponse() => body;
        public Task<Stream> OpenResponseAsync() => Task.FromResult<Stream>(body);

        public void Dispose()
        {
        }
    }
}
