using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Runs botocore's tests of the wire protocols through the whole client and a loopback server. The request must be what the test expects,
/// and the response must be read as the test expects. See Vectors/README.md.
/// </summary>
public sealed class ProtocolVectorTests
{
    private static readonly string Folder = Repository.Path("tests", "AuditCli.Collectors.Tests", "Aws", "Vectors");
    private static readonly PartitionRules NoPartitions = PartitionRules.Read(new MemoryStream("{}"u8.ToArray()));

    public static TheoryData<string> Inputs => [.. Names("input").Except(LeftOut().Keys)];

    public static TheoryData<string> Outputs => [.. Names("output").Except(LeftOut().Keys)];

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task A_request_is_written_as_botocores_test_says(string name)
    {
        var (vector, service, operation) = Vector("input", name);
        var parameters = ParameterCheck.Checked(service, operation, Entries(vector.GetProperty("parameters")));
        var expected = vector.GetProperty("request");
        if (expected.TryGetProperty("host", out var host))
        {
            var written = new DefaultRequest(new AwsCall(service, operation, parameters), service.Id);
            RequestWriter.Write(written, service, operation, parameters);
            Assert.Equal(host.GetString(), written.HostPrefix + "example.com");
        }

        await using var server = new LoopbackServer((_, _) => Reaction.Json("{}"));
        await CallAsync(server, service, operation, parameters);

        var seen = Assert.Single(server.Seen);
        Assert.Equal(expected.GetProperty("method").GetString(), seen.Method);
        Assert.Equal(Target(expected.GetProperty("uri").GetString()!), Target(seen.Target));
        foreach (var (field, value) in expected.TryGetProperty("headers", out var headers) ? Entries(headers) : [])
        {
            Assert.True(seen.Fields.TryGetValue(field, out var sent), $"{field} is missing");
            // The SDK adds the character set to the content type of a form.
            Assert.Equal(value.GetString(), field == "Content-Type" ? sent!.Split(';')[0] : sent);
        }
        if (expected.TryGetProperty("forbidHeaders", out var forbidden))
            Assert.All(forbidden.EnumerateArray(), f => Assert.False(seen.Fields.ContainsKey(f.GetString()!), f.GetString()));
        if (expected.TryGetProperty("body", out var body))
            Assert.Equal(Body(service.Protocol, body.GetString()!), Body(service.Protocol, seen.Body));
    }

    [Theory]
    [MemberData(nameof(Outputs))]
    public async Task An_answer_is_read_as_botocores_test_says(string name)
    {
        var (vector, service, operation) = Vector("output", name);
        var response = vector.GetProperty("response");
        var fields = response.TryGetProperty("headers", out var headers) ? Entries(headers).Select(h => (h.Key, h.Value.GetString()!)).ToArray() : [];
        var reaction = new Reaction(
            response.GetProperty("status_code").GetInt32(),
            fields.FirstOrDefault(f => f.Item1.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Item2 ?? "application/octet-stream",
            Encoding.UTF8.GetBytes(response.TryGetProperty("body", out var body) ? body.GetString()! : ""))
        {
            Fields = [.. fields.Where(f => !f.Item1.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))],
        };
        await using var server = new LoopbackServer((_, _) => reaction);

        if (vector.TryGetProperty("errorCode", out var code))
        {
            var failure = await Assert.ThrowsAsync<AwsServiceFailure>(() => CallAsync(server, service, operation, []));
            Assert.Equal(code.GetString(), failure.ErrorCode);
            if (vector.TryGetProperty("errorMessage", out var message))
                Assert.Equal(message.GetString(), failure.Message);
            return;
        }
        var answer = TypedJson.Read(service, operation, await CallAsync(server, service, operation, []));

        Assert.Equal(Sorted(vector.GetProperty("result")), Sorted(answer));
    }

    [Fact]
    public void Every_vector_that_is_left_out_exists_and_has_a_reason()
    {
        var all = Names("input").Concat(Names("output")).ToHashSet();

        Assert.All(LeftOut(), l => Assert.Contains(l.Key, all));
        Assert.All(LeftOut(), l => Assert.NotEmpty(l.Value));
        Assert.True(all.Count - LeftOut().Count > 400);
    }

    private static async Task<AwsAnswer> CallAsync(LoopbackServer server, ServiceModel service, OperationModel operation, JsonObject parameters)
    {
        await using var transport = new LiveTransport(null, "vectors", TimeProvider.System);
        using var client = new AwsServiceClient(
            service, new BasicAWSCredentials("AKIAIOSFODNN7EXAMPLE", "secret"), new AwsServiceConfig(service, "us-east-1", null, server.Address, replay: true),
            transport.Open(new("vectors", "vectors", "us-east-1"), new RequestCheck(service).Refusal), new(null, _ => { }), _ => Task.CompletedTask,
            _ => null);
        return await client.CallAsync(operation, parameters, CancellationToken.None);
    }

    /// <summary>Returns names such as <c>input/rest-json/3 RestJsonSomething</c>.</summary>
    private static IEnumerable<string> Names(string side)
    {
        var files = Directory.GetFiles(Path.Combine(Folder, side), "*.json").Order(StringComparer.Ordinal);
        return files.SelectMany(file =>
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return document.RootElement.EnumerateArray()
                .Select((v, i) => string.Create(
                    CultureInfo.InvariantCulture, $"{side}/{Path.GetFileNameWithoutExtension(file)}/{i} {v.GetProperty("id").GetString()}"))
                .ToArray();
        });
    }

    private static Dictionary<string, string> LeftOut() =>
        JsonSerializer.Deserialize<Dictionary<string, string[]>>(File.ReadAllText(Path.Combine(Folder, "left-out.json")))!
            .SelectMany(r => r.Value.Select(n => (Name: n, Reason: r.Key)))
            .ToDictionary(l => l.Name, l => l.Reason);

    private static (JsonElement, ServiceModel, OperationModel) Vector(string side, string name)
    {
        var at = name.Split(' ')[0].Split('/');
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, side, at[1] + ".json")));
        var vector = document.RootElement[int.Parse(at[2], CultureInfo.InvariantCulture)].Clone();
        var service = ServiceModel.Read(CatalogueFile(vector.GetProperty("catalogue")), new(NoPartitions));
        return (vector, service, service.Operation(service.OperationNames.Single())!);
    }

    /// <summary>Writes a catalogue with the same line breaks as its file.</summary>
    private static byte[] CatalogueFile(JsonElement catalogue)
    {
        var members = catalogue.EnumerateObject().ToLookup(m => m.Name is "operations" or "shapes");
        var parts = members[true].OrderBy(m => m.Name, StringComparer.Ordinal).Select(Lines);
        return Encoding.UTF8.GetBytes($$"""{{{string.Join(",\n", members[false].Select(Line).Concat(parts))}}}""");

        static string Line(JsonProperty entry) => $"{JsonSerializer.Serialize(entry.Name)}:{JsonSerializer.Serialize(entry.Value)}";
        static string Lines(JsonProperty part) => $"\"{part.Name}\":{{\n{string.Join(",\n", part.Value.EnumerateObject().Select(Line))}\n}}";
    }

    private static IEnumerable<KeyValuePair<string, JsonElement>> Entries(JsonElement e) =>
        e.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value));

    /// <summary>Sorts the query, because its order does not matter.</summary>
    private static string Target(string target)
    {
        var parts = target.Split('?', 2);
        var query = (parts.ElementAtOrDefault(1) ?? "").Split('&').Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=");
        return parts[0] + "?" + string.Join('&', query.Order(StringComparer.Ordinal));
    }

    /// <summary>Normalizes a body, because its layout does not matter.</summary>
    private static string Body(WireProtocol protocol, string body)
    {
        var text = body.Trim();
        if (text.Length == 0)
            return "";
        if (protocol is WireProtocol.Query or WireProtocol.Ec2)
            return string.Join('&', text.Split('&').Order(StringComparer.Ordinal));
        if (text[0] is '{' or '[')
            return Sorted(JsonElement.Parse(text));
        return text[0] == '<' ? Element(XElement.Parse(body, LoadOptions.PreserveWhitespace)) : text;
    }

    private static string Element(XElement e)
    {
        var attributes = e.Attributes().Where(a => !a.IsNamespaceDeclaration).Select(a => $"{a.Name}={a.Value}").Order(StringComparer.Ordinal);
        return $"{e.Name}({string.Join(',', attributes)})"
            + (e.HasElements ? "[" + string.Concat(e.Elements().Select(Element)) + "]" : $"'{e.Value}'");
    }

    private static string Sorted(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object =>
            "{"
            + string.Join(
                ',',
                e.EnumerateObject()
                    .OrderBy(p => p.Name, StringComparer.Ordinal)
                    .Select(p => $"{JsonEncodedText.Encode(p.Name)}:{Sorted(p.Value)}"))
            + "}",
        JsonValueKind.Array => "[" + string.Join(',', e.EnumerateArray().Select(Sorted)) + "]",
        JsonValueKind.Number => e.GetDouble().ToString("R", CultureInfo.InvariantCulture),
        JsonValueKind.String => JsonSerializer.Serialize(e.GetString()),
        _ => e.GetRawText(),
    };
}
