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
        return isXml && answer.Body.Span.TrimStart(" \t\r\n\uFEFF"u8) is [(byte)'<', ..] ? Fault(answer.Body) : null;
    }

    private static string? Fault(ReadOnlyMemory<byte> body)
    {
        using var reader = XmlReader.Create(new MemoryStream(body.ToArray(), writable: false), AnswerElement.Settings);
        string? own = null;
        try
        {
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element || reader.NamespaceURI is not { Length: > 0 } name)
                    continue;
                if ((own ??= name) != name)
                    return $"<{reader.LocalName}> is of the namespace {name}, where the response is of {own}";
                if (!IsAws(name))
                    return $"<{reader.LocalName}> is of the namespace {name}, which is not AWS's";
            }
        }
        catch (XmlException)
        {
            // An object of S3 may be anything; whoever reads the body as a document reports that it is not one.
        }
        return null;
    }

    private static bool IsAws(string name) => Uri.TryCreate(name, UriKind.Absolute, out var address)
        && Hosts.Any(h => address.Host == h || address.Host.EndsWith("." + h, StringComparison.Ordinal));
}
