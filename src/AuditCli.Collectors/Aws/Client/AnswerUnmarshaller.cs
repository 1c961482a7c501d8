using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Xml;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;
using Amazon.Runtime.Internal.Util;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>Passes the response's bytes on unparsed, and parses error responses in the form of the service's protocol.</summary>
internal sealed class AnswerUnmarshaller(WireProtocol protocol) : ResponseUnmarshaller
{
    /// <summary>The longest Retry-After that is honoured.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    public override UnmarshallerContext CreateContext(
        IWebResponseData response, bool readEntireResponse, Stream stream, RequestMetrics metrics, bool isException,
        IRequestContext requestContext) => Context(stream, response);

    public override UnmarshallerContext CreateContext(
        IWebResponseData response, bool readEntireResponse, Stream stream, RequestMetrics metrics, bool isException) => Context(stream, response);

    public override AmazonWebServiceResponse Unmarshall(UnmarshallerContext input)
    {
        var context = (AnswerContext)input;
        if ((int)context.Response.StatusCode is >= 300 and < 400)
            throw Failure(context, null, context.Response.StatusCode);
        var headers = context.Response.GetHeaderNames().ToDictionary(n => n, n => context.Response.GetHeaderValue(n), StringComparer.OrdinalIgnoreCase);
        return new AwsCallResult
        {
            Answer = new((int)context.Response.StatusCode, headers, context.Body),
            HttpStatusCode = context.Response.StatusCode,
            ContentLength = context.Body.Length,
            ResponseMetadata = new ResponseMetadata { RequestId = RequestId(context.Response) },
        };
    }

    public override AmazonServiceException UnmarshallException(UnmarshallerContext input, Exception innerException, HttpStatusCode statusCode) =>
        Failure((AnswerContext)input, innerException, statusCode);

    protected override UnmarshallerContext ConstructUnmarshallerContext(
        Stream responseStream, bool maintainResponseBody, IWebResponseData response, bool isException) => Context(responseStream, response);

    protected override UnmarshallerContext ConstructUnmarshallerContext(
        Stream responseStream, bool maintainResponseBody, IWebResponseData response, bool isException,
        IRequestContext requestContext) => Context(responseStream, response);

    private static AnswerContext Context(Stream? stream, IWebResponseData response)
    {
        if (stream is MemoryStream whole && whole.TryGetBuffer(out var buffer))
            return new(buffer, response);
        using var copy = new MemoryStream();
        stream?.CopyTo(copy);
        return new(copy.ToArray(), response);
    }

    private AwsServiceFailure Failure(AnswerContext context, Exception? inner, HttpStatusCode status)
    {
        var response = context.Response;
        var said = ErrorBody.Read(protocol, context.Body);
        // Only the JSON protocols have the code in a header as well.
        var code = protocol is WireProtocol.Json or WireProtocol.RestJson
            ? ShortCode(Header(response, "x-amzn-query-error")?.Split(';')[0] ?? Header(response, "x-amzn-ErrorType") ?? said.Code)
            : said.Code;
        return new(
            code ?? AwsCodes.OfStatus((int)status),
            said.Message ?? string.Create(CultureInfo.InvariantCulture, $"the provider answered with HTTP status {(int)status}"),
            RequestId(response) ?? said.RequestId, status, inner)
        {
            BucketRegion = Header(response, "x-amz-bucket-region") ?? said.Region,
            RedirectHost = (int)status is >= 300 and < 400
                ? Uri.TryCreate(Header(response, "Location"), UriKind.Absolute, out var location)
                    ? location.Authority
                    : said.Endpoint ?? "an address that it does not name"
                : null,
            Wait = Wait(response),
            ClockIsWrong = code is "RequestTimeTooSkewed" or "RequestInTheFuture" or "RequestExpired" || said.ClockIsWrong,
        };
    }

    private static TimeSpan? Wait(IWebResponseData response) => RetryAfter.Of(
        RetryConditionHeaderValue.TryParse(Header(response, "Retry-After"), out var asked) ? asked : null,
        HttpDate.TryParse(Header(response, "Date") ?? "", out var sent) ? sent : null,
        LongestWait);

    /// <summary>
    /// Returns the short form of an error code of the JSON protocols: <c>com.amazonaws.x#Code:http://...</c> is <c>Code</c>. What does not
    /// have this form is not a code.
    /// </summary>
    private static string? ShortCode(string? code) => code?.Split(':', 2) switch
    {
        [var name] => ErrorBody.CodeOf(name.Split('#')[^1]),
        [var name, var address] when address.Length == 0 || address.StartsWith("http", StringComparison.Ordinal) => ErrorBody.CodeOf(name.Split('#')[^1]),
        _ => null,
    };

    private static string? RequestId(IWebResponseData response) => Header(response, "x-amzn-RequestId") ?? Header(response, "x-amz-request-id");

    private static string? Header(IWebResponseData response, string name) =>
        response.IsHeaderPresent(name) && response.GetHeaderValue(name) is { Length: > 0 } value ? value : null;

    /// <summary>Holds the bytes instead of a parser, because evidence is read from the recorded body.</summary>
    private sealed class AnswerContext : UnmarshallerContext
    {
        public AnswerContext(ReadOnlyMemory<byte> body, IWebResponseData response)
        {
            Body = body;
            Response = response;
            WebResponseData = response;
        }

        public ReadOnlyMemory<byte> Body { get; }
        public IWebResponseData Response { get; }
        public override string CurrentPath => "";
        public override int CurrentDepth => 0;
        public override bool IsStartElement => false;
        public override bool IsEndElement => false;
        public override bool IsStartOfDocument => true;
    }
}

/// <summary>The parsed content of an error body; every part may be missing, since proxies respond in other formats.</summary>
internal sealed record ErrorBody(string? Code, string? Message, string? RequestId, string? Region, string? Endpoint)
{
    private const string WrongSignature = "the signature does not match";
    private static ErrorBody Silent { get; } = new(null, null, null, null, null);

    /// <summary>Whether a signature was refused because of the time and not because of the key; AWS says so only in the message.</summary>
    public bool ClockIsWrong { get; private init; }

    /// <summary>Returns what an error response says in the form of the protocol; other content says nothing.</summary>
    public static ErrorBody Read(WireProtocol protocol, ReadOnlyMemory<byte> body)
    {
        var isJson = protocol is WireProtocol.Json or WireProtocol.RestJson;
        var start = body.Span.IndexOfAnyExcept(" \t\r\n\uFEFF"u8);
        try
        {
            return start < 0 ? Silent : body.Span[start] switch
            {
                (byte)'<' when !isJson => Xml(protocol, AnswerElement.Parse(body)),
                (byte)'{' when isJson => Json(JsonOutput.Document(body[start..])),
                _ => Silent,
            };
        }
        catch (Exception e) when (e is XmlException or JsonException)
        {
            // Only the status is reported then; the bytes are in the recorded exchange.
            return Silent;
        }
    }

    /// <summary>Returns a text that has the form of an error code, such as <c>InvalidVpcID.NotFound</c>; null for any other text.</summary>
    public static string? CodeOf(string? text) =>
        text is { Length: > 0 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') ? text : null;

    /// <summary>
    /// Reads the error of an XML document: <c>Error</c> (S3), or <c>ErrorResponse</c> (query, rest-xml) or <c>Response</c> (ec2) around
    /// <c>Error</c> or <c>Errors/Error</c>. A document of another form, or with several errors or codes, has no code: which of them counts is not defined.
    /// </summary>
    private static ErrorBody Xml(WireProtocol protocol, AnswerElement root)
    {
        if (OnlyError(protocol, root) is not { } error)
            return Silent;
        var code = error.Children.Count(c => c.Name.Equals("Code", StringComparison.OrdinalIgnoreCase)) == 1 && error.Child("Code") is { } only
            ? CodeOf(only.Text)
            : null;
        var message = (error.Child("Message") ?? error.Child("message"))?.Text;
        return new(code, code is "SignatureDoesNotMatch" ? WrongSignature : message,
            (root.Find("RequestId") ?? root.Find("RequestID"))?.Text, error.Child("Region")?.Text, error.Child("Endpoint")?.Text)
        {
            ClockIsWrong = SpeaksOfTime(message),
        };
    }

    private static AnswerElement? OnlyError(WireProtocol protocol, AnswerElement root) => root.Name switch
    {
        "Error" => protocol == WireProtocol.RestXml ? root : null,
        "Response" when protocol == WireProtocol.RestXml => null,
        // SimpleDB, of the query protocol, has the form of EC2; what stands before EC2 and refuses an action has that of the query protocol.
        "ErrorResponse" or "Response" => Errors(root).Take(2).ToArray() is [var only] ? only : null,
        _ => null,
    };

    private static IEnumerable<AnswerElement> Errors(AnswerElement root) =>
        root.Children.Concat(root.Children.Where(c => c.Name == "Errors").SelectMany(c => c.Children)).Where(c => c.Name == "Error");

    private static ErrorBody Json(JsonElement root)
    {
        string? code = null, message = null;
        foreach (var member in root.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String)
                continue;
            if (member.Name is "__type" || member.Name is "code" or "Code" && code is null)
                code = member.Value.GetString();
            else if (member.Name.Equals("message", StringComparison.OrdinalIgnoreCase))
                message = member.Value.GetString();
        }
        var clockIsWrong = SpeaksOfTime(message);
        // The provider's message quotes the request that it expected, including its token.
        if (code?.EndsWith("InvalidSignatureException", StringComparison.Ordinal) == true)
            message = WrongSignature;
        return new(code, message, null, null, null) { ClockIsWrong = clockIsWrong };
    }

    private static bool SpeaksOfTime(string? message) => message is not null
        && (message.StartsWith("Signature expired", StringComparison.Ordinal) || message.StartsWith("Signature not yet current", StringComparison.Ordinal));
}
