using System.Xml;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>
/// Checks that a success is the service's own document: without an error in its header, and in XML with elements of one namespace, which is
/// AWS's. Elements are compared by name, so that one of another vocabulary would count as the service's.
/// </summary>
internal static class AnswerOrigin
{
    private static readonly string[] ErrorFields = ["x-amzn-ErrorType", "x-amzn-query-error"];
    private static readonly string[] Hosts = ["amazonaws.com", "amazonaws.com.cn", "amazon.com"];

    /// <summary>Returns why a response with a success status is not one; null if nothing speaks against it.</summary>
    public static string? Fault(ServiceModel service, AwsAnswer answer)
    {
        if (ErrorFields.FirstOrDefault(answer.Headers.ContainsKey) is { } field)
            return $"it came as a success, but is an error ({field}: {answer.Headers[field]})";
        var isXml = service.Protocol is WireProtocol.Query or WireProtocol.Ec2 or WireProtocol.RestXml;
        if (!isXml || answer.Body.Span.TrimStart(" \t\r\n\uFEFF"u8) is not [(byte)'<', ..])
            return null;
        string? own = null, fault = null;
        try
        {
            answer.Parse(element => fault ??= element.Space.Length == 0 ? null : Fault(element, own ??= element.Space));
        }
        catch (XmlException)
        {
            // An object of S3 may be anything; whoever reads the body as a document reports that it is not one.
        }
        return fault;
    }

    private static string? Fault(AnswerElement element, string own) =>
        element.Space != own ? $"<{element.Name}> is of the namespace {element.Space}, where the response is of {own}"
        : !IsAws(own) ? $"<{element.Name}> is of the namespace {own}, which is not AWS's"
        : null;

    private static bool IsAws(string name) => Uri.TryCreate(name, UriKind.Absolute, out var address)
        && Hosts.Any(h => address.Host == h || address.Host.EndsWith("." + h, StringComparison.Ordinal));
}
