using System.Net;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>One call, in the form the SDK's runtime passes along.</summary>
internal sealed class AwsCall(ServiceModel service, OperationModel operation, JsonObject parameters) : AmazonWebServiceRequest
{
    public ServiceModel Service => service;
    public OperationModel Operation => operation;

    /// <summary>Checked by <see cref="ParameterCheck"/>.</summary>
    public JsonObject Parameters => parameters;
}

/// <summary>The answer to a call, unread.</summary>
internal sealed class AwsCallResult : AmazonWebServiceResponse
{
    /// <summary>Empty unless the SDK made the object itself, which it does for no answer of ours.</summary>
    public AwsAnswer Answer { get; init; } = new(0, new Dictionary<string, string>(), default);
}

/// <summary>The provider's error answer.</summary>
internal sealed class AwsServiceFailure : AmazonServiceException
{
    public AwsServiceFailure(string code, string message, string? requestId, HttpStatusCode status, Exception? inner)
        : base(message, inner, (int)status >= 500 ? ErrorType.Receiver : ErrorType.Sender, code, requestId ?? "", status)
    {
    }

    /// <summary>The region of the bucket, where S3 names it.</summary>
    public string? BucketRegion { get; init; }

    /// <summary>The host a redirect points to; null when it is none.</summary>
    public string? RedirectHost { get; init; }

    /// <summary>How long the provider asks to wait; null when it does not say.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>The request was refused because its time is not the provider's.</summary>
    public bool ClockIsWrong { get; init; }

    /// <summary>The request was refused because its credentials are not valid any more.</summary>
    public bool CredentialsExpired => ErrorCode is "ExpiredToken" or "ExpiredTokenException";
}
