using System.Net;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>One call, in the form that the SDK's runtime passes through its pipeline.</summary>
internal sealed class AwsCall(ServiceModel service, OperationModel operation, JsonObject parameters) : AmazonWebServiceRequest
{
    public ServiceModel Service => service;
    public OperationModel Operation => operation;

    /// <summary>The parameters, checked by <see cref="ParameterCheck"/>.</summary>
    public JsonObject Parameters => parameters;
}

/// <summary>The response to a call, unparsed.</summary>
internal sealed class AwsCallResult : AmazonWebServiceResponse
{
    /// <summary>
    /// The response. The empty default applies only if the SDK creates the object itself, which it does not do for these calls.
    /// </summary>
    public AwsAnswer Answer { get; init; } = new(0, new Dictionary<string, string>(), default);
}

/// <summary>An error response of the provider.</summary>
internal sealed class AwsServiceFailure : AmazonServiceException
{
    public AwsServiceFailure(string code, string message, string? requestId, HttpStatusCode status, Exception? inner)
        : base(message, inner, (int)status >= 500 ? ErrorType.Receiver : ErrorType.Sender, code, requestId ?? "", status)
    {
    }

    /// <summary>The region of the bucket, if S3 names it.</summary>
    public string? BucketRegion { get; init; }

    /// <summary>The host that a redirect points to; null if the response is not a redirect.</summary>
    public string? RedirectHost { get; init; }

    /// <summary>The wait that the provider requests; null if it does not request one.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Whether the request was refused because its time differs from the provider's.</summary>
    public bool ClockIsWrong { get; init; }

    /// <summary>Whether the request was refused because its credentials have expired.</summary>
    public bool CredentialsExpired => ErrorCode is "ExpiredToken" or "ExpiredTokenException";
}
