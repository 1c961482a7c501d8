using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using AuditCli.Bundles;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Lookup;

/// <summary>Writes recorded exchanges and their evidence items as JSON for <c>show</c>.</summary>
internal sealed class ExchangeJson(Utf8JsonWriter json, OpenedBundle bundle)
{
    /// <summary>Writes a whole exchange with its bodies, and the value at a place in the response.</summary>
    /// <param name="pointer">JSON pointer (RFC 6901) into the response; empty for no place.</param>
    public void Exchange(FoundExchange found, string pointer)
    {
        var exchange = found.Recorded.Exchange;
        json.WriteStartObject("exchange");
        Facts(found);
        Message("request", exchange.Request);
        Message("response", exchange.Response);
        if (pointer.Length > 0)
        {
            json.WriteString("pointer", pointer);
            json.WritePropertyName("at");
            var body = exchange.Response?.Body ?? ReadOnlyMemory<byte>.Empty;
            if (ShownBody.ValueAt(body, pointer) is { } value)
                Answered(value);
            else
                json.WriteStringValue(AnswerPart.Of(body, pointer));
        }
        json.WriteEndObject();
    }

    /// <summary>Writes the facts of an exchange: request, time, status, evidence item, file and digests.</summary>
    public void Facts(FoundExchange found)
    {
        var (request, answer, exchange) = (found.Recorded.Request, found.Recorded.Answer, found.Recorded.Exchange);
        json.WriteString("record_id", answer.Id);
        json.WriteString("request_record_id", request.Id);
        json.WriteString("method", exchange.Request.StartLine.Split(' ')[0]);
        json.WriteString("uri", exchange.Uri.OriginalString);
        json.WriteString("date", Rfc3339.Format(exchange.Date));
        json.WriteString("status", exchange.Response?.StartLine);
        json.WriteString("request_id", found.RequestId);
        json.WriteString("server_certificates", exchange.ServerCertificates);
        json.WriteStartArray("failure");
        foreach (var failure in exchange.Failure)
            json.WriteStringValue($"{failure.Type} {failure.Message}");
        json.WriteEndArray();
        if (found.Evidence is { } item)
        {
            json.WriteStartObject("asked_for");
            Source(item);
            json.WriteString("identity", item.Identity);
            json.WriteEndObject();
        }
        else
            json.WriteNull("asked_for");
        json.WriteString("file", found.File);
        json.WriteString("file_sha256", bundle.Files.DigestOf(found.File).Hex);
        json.WriteString("request_block_digest", request["WARC-Block-Digest"]);
        json.WriteString("answer_block_digest", answer["WARC-Block-Digest"]);
        json.WriteString("body_digest", answer["WARC-Payload-Digest"]);
        json.WriteString("body_digest_before_redaction", exchange.RedactedPayloadDigest);
        json.WriteBoolean("bodies_omitted", exchange.BodiesOmitted);
    }

    /// <summary>Writes the facts of an evidence item.</summary>
    public void Source(EvidenceItem item)
    {
        json.WriteString("evidence_id", item.EvidenceId);
        json.WriteString("source", item.Source);
        json.WriteString("operation", item.Operation);
        json.WriteString("target", item.Target);
        json.WriteString("account", item.Account);
        json.WriteString("region", item.Region);
        json.WriteString("outcome", item.Outcome.ToString().ToLowerInvariant());
        json.WriteNumber("items", item.Items);
    }

    private void Message(string name, HttpBlock? message)
    {
        if (message is null)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WriteString("start_line", message.StartLine);
        json.WriteStartArray("fields");
        foreach (var (field, value) in message.Fields)
        {
            json.WriteStartArray();
            json.WriteStringValue(field);
            json.WriteStringValue(value);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        Body("body", message.Body);
        json.WriteEndObject();
    }

    /// <summary>Writes bytes as text if they are UTF-8, otherwise as base64.</summary>
    public void Body(string name, ReadOnlyMemory<byte> bytes)
    {
        if (Utf8.IsValid(bytes.Span))
            json.WriteString(name, Encoding.UTF8.GetString(bytes.Span));
        else
            json.WriteBase64String($"{name}_base64", bytes.Span);
    }

    /// <summary>Writes a value of a provider's response; if it is not well-formed Unicode, writes its JSON text as a string.</summary>
    private void Answered(JsonElement value)
    {
        try
        {
            _ = JsonSerializer.SerializeToUtf8Bytes(value);
        }
        catch (InvalidOperationException)
        {
            json.WriteStringValue(value.GetRawText());
            return;
        }
        Value(value);
    }

    /// <summary>Writes a value of the bundle unchanged; null for an undefined one.</summary>
    public void Value(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
            json.WriteNullValue();
        else
            value.WriteTo(json);
    }
}
