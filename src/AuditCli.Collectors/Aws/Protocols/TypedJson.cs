using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using System.Xml;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>A response as the SDK's runtime returned it.</summary>
internal sealed record AwsAnswer(int Status, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Body)
{
    private AnswerElement? _document;

    /// <summary>The body as an XML document, parsed once.</summary>
    /// <inheritdoc cref="AnswerElement.Parse" path="/exception"/>
    public AnswerElement Document => _document ?? Parse(seen: null);

    /// <summary>Parses the document, which later readers then have.</summary>
    /// <inheritdoc cref="AnswerElement.Parse"/>
    public AnswerElement Parse(Action<AnswerElement>? seen) => _document = AnswerElement.Parse(Body, seen);
}

/// <summary>
/// Converts a response to typed JSON according to the output shape: the same members as in boto3, instants in RFC 3339 UTC, binary values
/// in base64. A member that the response does not have is absent, never a default.
/// </summary>
internal static class TypedJson
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads the whole response.</summary>
    /// <exception cref="CollectionException">
    /// The response is not well-formed, or not a response to this operation (<see cref="Codes.MalformedResponse"/>).
    /// </exception>
    public static JsonElement Read(ServiceModel service, OperationModel operation, AwsAnswer answer)
    {
        var content = new ArrayBufferWriter<byte>(Math.Max(256, answer.Body.Length));
        using (var writer = new Utf8JsonWriter(content, WriterOptions))
        {
            try
            {
                Write(writer, service, operation, answer);
            }
            catch (Exception e) when (e is XmlException or JsonException or FormatException or InvalidOperationException)
            {
                // System.Text.Json throws InvalidOperationException if a member name is not well-formed Unicode.
                throw new CollectionException(Codes.MalformedResponse, $"{service.Name}:{operation.Name}: the response cannot be read: {e.Message}", e);
            }
        }
        // Copy the content, because rows outlive the page.
        return JsonElement.Parse(content.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, ServiceModel service, OperationModel operation, AwsAnswer answer)
    {
        writer.WriteStartObject();
        if (operation.Output is { } output)
        {
            var shape = (ShapeModel.Structure)service.Shape(output);
            switch (service.Protocol)
            {
                case WireProtocol.Query when shape.Members.IsEmpty && answer.Body.IsEmpty:
                    break;
                case WireProtocol.Query:
                    var root = answer.Document;
                    if (operation.Wrapper is { } wrapper && shape.Members.Length > 0)
                    {
                        var result = root.Only(wrapper) ?? throw new FormatException($"<{root.Name}> has no <{wrapper}>");
                        XmlOutput.CheckEnvelope(service, operation, shape.Members, root, wrapper);
                        root = result;
                    }
                    XmlOutput.Root(writer, service, operation, shape.Members, root);
                    break;
                case WireProtocol.Ec2:
                    var response = answer.Document;
                    if (response.Name != operation.Name + "Response")
                        throw new FormatException($"the response is <{response.Name}>");
                    XmlOutput.Root(writer, service, operation, shape.Members, response);
                    break;
                case WireProtocol.Json:
                    JsonOutput.Body(writer, service, operation, shape.Members, answer.Body);
                    break;
                case WireProtocol.RestJson or WireProtocol.RestXml:
                    Rest(writer, service, operation, shape, answer);
                    break;
            }
        }
        writer.WriteEndObject();
    }

    private static void Rest(Utf8JsonWriter writer, ServiceModel service, OperationModel operation, ShapeModel.Structure shape, AwsAnswer answer)
    {
        foreach (var member in shape.Members)
            OutsideBody(writer, service, member, answer);
        var xml = service.Protocol == WireProtocol.RestXml;
        if (shape.Payload is { } payload)
            Payload(writer, service, operation, shape.Member(payload)!, answer, xml);
        else if (!shape.Members.Any(m => m.Location == MemberLocation.Body) && (answer.Body.IsEmpty || !shape.Members.Any(m => m.InAnswerBody)))
            return;
        else if (!xml)
            JsonOutput.Body(writer, service, operation, [.. shape.Members.Where(m => m.InAnswerBody)], answer.Body);
        else
            XmlOutput.Body(writer, service, operation, shape, answer.Document);
    }

    private static void OutsideBody(Utf8JsonWriter writer, ServiceModel service, MemberReference member, AwsAnswer answer)
    {
        switch (member.Location)
        {
            case MemberLocation.Header when member.Kind == MemberKind.Shape && answer.Headers.TryGetValue(member.Wire, out var several):
                var element = ((ShapeModel.List)service.Shape(member.Shape)).Element;
                writer.WriteStartArray(member.Name);
                foreach (var one in HeaderList.Read(several, element.Kind == MemberKind.Timestamp))
                    XmlOutput.Scalar(writer, element, one);
                writer.WriteEndArray();
                break;
            case MemberLocation.Header when answer.Headers.TryGetValue(member.Wire, out var value):
                writer.WritePropertyName(member.Name);
                XmlOutput.Scalar(writer, member, value);
                break;
            case MemberLocation.Headers:
                writer.WriteStartObject(member.Name);
                foreach (var (name, value) in answer.Headers.OrderBy(h => h.Key, StringComparer.Ordinal))
                {
                    if (name.StartsWith(member.Wire, StringComparison.OrdinalIgnoreCase))
                        writer.WriteString(name[member.Wire.Length..], value);
                }
                writer.WriteEndObject();
                break;
            case MemberLocation.Status:
                writer.WriteNumber(member.Name, answer.Status);
                break;
        }
    }

    private static void Payload(
        Utf8JsonWriter writer, ServiceModel service, OperationModel operation, MemberReference member, AwsAnswer answer, bool xml)
    {
        var body = answer.Body;
        if (body.IsEmpty)
        {
            // S3 writes an element without content as an empty element; a text or file may have no bytes.
            if (service.Name == "s3" && member.Kind == MemberKind.Shape)
                throw new FormatException($"it has no {member.Name}");
            return;
        }
        writer.WritePropertyName(member.Name);
        if (member.Kind == MemberKind.Blob)
            writer.WriteBase64StringValue(body.Span);
        else if (member.Kind is not (MemberKind.Shape or MemberKind.Document))
            writer.WriteStringValue(Utf8.IsValid(body.Span) ? Encoding.UTF8.GetString(body.Span) : throw new FormatException("it is not well-formed UTF-8"));
        else if (xml)
        {
            var root = XmlOutput.Answer(answer.Document);
            if (member.Kind == MemberKind.Shape && service.Shape(member.Shape) is ShapeModel.Structure element)
            {
                writer.WriteStartObject();
                XmlOutput.Root(writer, service, Below(operation, member), element.Members, root);
                writer.WriteEndObject();
            }
            else
                XmlOutput.Value(writer, service, member, root);
        }
        else
        {
            var root = Root(service, member, body);
            if (member.Kind == MemberKind.Shape && service.Shape(member.Shape) is ShapeModel.Structure element)
                AnswerForm.Check(Below(operation, member), element.Members, root);
            JsonOutput.Value(writer, service, member, root);
        }
    }

    /// <summary>
    /// Returns the operation relative to the member that is the whole body: the path of the rows starts below this member.
    /// </summary>
    private static OperationModel Below(OperationModel operation, MemberReference payload) =>
        operation.Rows?.Split('.', 2) is [var first, var rest] && first == payload.Name ? operation with { Rows = rest } : operation with { Rows = null };

    /// <summary>Parses the body and checks the type of its root: any value for a document, an object for a structure, and so on.</summary>
    private static JsonElement Root(ServiceModel service, MemberReference member, ReadOnlyMemory<byte> body)
    {
        var root = JsonOutput.AnyValue(body);
        var fits = member.Kind == MemberKind.Document
            || root.ValueKind == (service.Shape(member.Shape) is ShapeModel.List ? JsonValueKind.Array : JsonValueKind.Object);
        return fits ? root : throw new JsonException($"the response is a JSON {root.ValueKind}, which is not a {member.Shape}");
    }
}

/// <summary>Writes single values that the protocols transmit as text.</summary>
internal static class ScalarText
{
    /// <summary>Writes a policy document: JSON, which IAM percent-encodes. Content that is not JSON is written as text.</summary>
    public static void Policy(Utf8JsonWriter writer, string text)
    {
        var decoded = Uri.UnescapeDataString(text);
        try
        {
            using var document = JsonDocument.Parse(decoded);
            JsonOutput.AsItCame(writer, document.RootElement);
        }
        catch (JsonException)
        {
            // The column is JSON; the provider's text is kept, and a control sees that it is not a JSON document.
            writer.WriteStringValue(decoded);
        }
    }

    public static void Number(Utf8JsonWriter writer, MemberKind kind, string text)
    {
        if (kind == MemberKind.Double)
        {
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real))
                writer.WriteNumberValue(real);
            else
                writer.WriteStringValue(text);
        }
        else if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            writer.WriteNumberValue(whole);
        else
            writer.WriteStringValue(text);
    }
}
