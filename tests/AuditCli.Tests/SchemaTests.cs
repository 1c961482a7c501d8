using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Evidence;

namespace AuditCli.Tests;

/// <summary>
/// Checks that the JSON Schemas, which editors use, offer exactly the sources and settings of the collectors. Agreement with the loaders is
/// tested in the loaders' project, which does not reference the collectors.
/// </summary>
public sealed class SchemaTests
{
    /// <summary>The keys that evidence of any source may have.</summary>
    private static readonly string[] KeysOfEverySource = ["params", "for_each", "with", "allow_errors", "across", "if_target", "keep", "where"];

    [Fact]
    public void Evidence_comes_from_the_sources_of_the_collectors()
    {
        using var schema = Read("control.schema.json");
        var evidence = schema.RootElement.GetProperty("definitions").GetProperty("sourceEvidence");

        var words = evidence.GetProperty("oneOf").EnumerateArray()
            .Select(o => string.Join('+', o.GetProperty("required").EnumerateArray().Select(w => w.GetString())));
        Assert.Equal(Sources.Select(s => s.Name).Order(), words.Order());
        var keys = evidence.GetProperty("properties").EnumerateObject().Select(p => p.Name);
        Assert.Equal(Sources.Select(s => s.Name).Concat(KeysOfEverySource).Order(), keys.Order());
        Assert.All(Sources, s => Assert.Equal("text", Form(schema.RootElement, evidence.GetProperty("properties").GetProperty(s.Name))));
        Assert.False(evidence.GetProperty("additionalProperties").GetBoolean());
    }

    [Fact]
    public void Targets_have_the_settings_of_the_collectors()
    {
        using var schema = Read("engagement.schema.json");
        var targets = schema.RootElement.GetProperty("properties").GetProperty("targets").GetProperty("patternProperties").EnumerateObject().Single().Value;

        var offered = targets.GetProperty("properties").EnumerateObject().Where(s => s.Name != "credentials_of")
            .SelectMany(s => Settings(schema.RootElement, s));
        Assert.Equal(Sources.SelectMany(Settings).Order(), offered.Order());
        Assert.False(targets.GetProperty("additionalProperties").GetBoolean());
    }

    /// <summary>
    /// Compares the parts of the schemas that depend on the sources with what is generated from these; AUDITCLI_APPROVE=1 writes them.
    /// </summary>
    [Fact]
    public void What_the_sources_decide_in_the_schemas_is_generated_from_them()
    {
        Generated(
            "engagement.schema.json", "          \"oneOf\": [{ \"required\"", "          }\n        }\n      }\n    },\n", TargetsOf(CollectorCatalog.All));
        Generated("control.schema.json", "      \"oneOf\": [{ \"required\"", "        \"params\": ", EvidenceOf(CollectorCatalog.All));
    }

    private static string TargetsOf(IEnumerable<CollectorEntry> entries) =>
        $"          \"oneOf\": [{string.Join(", ", entries.Select(e => $"{{ \"required\": [{Text(e.Source.Name)}] }}"))}],\n"
        + """
                      "additionalProperties": false,
                      "properties": {
                        "credentials_of": {
                          "description": "Whose credentials read it. Default: management, which gave them to the auditor.",
                          "type": "string",
                          "enum": ["auditor", "management"]
                        },

            """.ReplaceLineEndings("\n") + string.Join(",\n", entries.Select(e => $$"""
                    "{{e.Source.Name}}": {
                      "description": {{Text(e.Source.TargetDescription)}},
                      "type": "object",
                      "additionalProperties": false,{{Required(e.Source)}}
                      "properties": {
        {{string.Join(",\n", e.Source.TargetSettings.Select(s => "                " + SettingOf(s)))}}
                      }
                    }
        """.ReplaceLineEndings("\n"))) + "\n";

    private static string Required(EvidenceSource source) =>
        source.TargetSettings.Where(s => s.Required).Select(s => Text(s.Name)).ToArray() is { Length: > 0 } names
        ? $"\n              \"required\": [{string.Join(", ", names)}],"
        : "";

    private static string SettingOf(TargetSetting setting)
    {
        var one = setting.Choices.IsEmpty
            ? """{ "$ref": "#/definitions/text" }"""
            : $$"""{ "type": "string", "enum": [{{string.Join(", ", setting.Choices.Select(Text))}}] }""";
        var description = Text(setting.Description);
        return $"{Text(setting.Name)}: " + setting.Form switch
        {
            TargetSettingForm.TextOrList => $$"""
                {
                                  "description": {{description}},
                                  "oneOf": [{{one}}, { "$ref": "#/definitions/textsNotEmpty" }]
                                }
                """.ReplaceLineEndings("\n"),
            TargetSettingForm.Flag => $$"""{ "description": {{description}}, "type": "boolean" }""",
            TargetSettingForm.TextList => $$"""{ "description": {{description}}, "$ref": "#/definitions/texts" }""",
            _ => $$"""{ "description": {{description}}, {{one[2..]}}""",
        };
    }

    private static string EvidenceOf(IEnumerable<CollectorEntry> entries)
    {
        var required = entries.Select(e => $"{{ \"required\": [{Text(e.Source.Name)}] }}");
        var operations = entries.Select(e =>
            $"        {Text(e.Source.Name)}: {{ \"description\": {Text(e.Source.OperationDescription)}, \"$ref\": \"#/definitions/text\" }},\n");
        return $"      \"oneOf\": [{string.Join(", ", required)}],\n      \"properties\": {{\n{string.Concat(operations)}";
    }

    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Text(string text) => JsonSerializer.Serialize(text, Readable);

    /// <summary>Compares the part of a schema between two texts with the generated one, or writes it.</summary>
    private static void Generated(string schema, string from, string upTo, string generated)
    {
        var file = Repository.Path("controls", schema);
        var whole = File.ReadAllText(file);
        var start = whole.IndexOf(from, StringComparison.Ordinal);
        var end = whole.IndexOf(upTo, start, StringComparison.Ordinal);
        Assert.True(start > 0 && end > start, $"{schema} has no part for the sources");
        GeneratedPart.Matches(file, start, end, generated);
    }

    private static IEnumerable<EvidenceSource> Sources => CollectorCatalog.All.Select(c => c.Source);

    private static JsonDocument Read(string name) => JsonDocument.Parse(File.ReadAllText(Repository.Path("controls", name)));

    /// <summary>
    /// Returns one line for the source and one for each setting, such as <c>aws.regions: 'enabled' or texts, at least 1</c>.
    /// </summary>
    private static IEnumerable<string> Settings(EvidenceSource source) =>
        source.TargetSettings.Select(s => $"{source.Name}.{s.Name}: {Form(s)}{(s.Required ? ", required" : "")}").Prepend(source.Name);

    private static IEnumerable<string> Settings(JsonElement root, JsonProperty source)
    {
        Assert.False(source.Value.GetProperty("additionalProperties").GetBoolean());
        var required = source.Value.TryGetProperty("required", out var names) ? names.EnumerateArray().Select(n => n.GetString()).ToArray() : [];
        return source.Value.GetProperty("properties").EnumerateObject()
            .Select(s => $"{source.Name}.{s.Name}: {Form(root, s.Value)}{(required.Contains(s.Name) ? ", required" : "")}").Prepend(source.Name);
    }

    private static string Form(TargetSetting setting)
    {
        var one = setting.Choices.IsEmpty ? "text" : string.Join('|', setting.Choices.Select(c => $"'{c}'"));
        return setting.Form switch
        {
            TargetSettingForm.Text or TargetSettingForm.File => one,
            TargetSettingForm.TextList => "texts",
            TargetSettingForm.TextOrList => $"{one} or texts, at least 1",
            TargetSettingForm.Flag => "flag",
            _ => throw new InvalidOperationException("a setting form that this test does not know"),
        };
    }

    /// <summary>
    /// Describes a part of a schema in the words of <see cref="Form(TargetSetting)"/>, or returns its JSON if these do not apply.
    /// </summary>
    private static string Form(JsonElement root, JsonElement part)
    {
        if (part.TryGetProperty("$ref", out var reference))
            return Form(root, reference.GetString()!.Split('/')[1..].Aggregate(root, (at, name) => at.GetProperty(name)));
        if (part.TryGetProperty("oneOf", out var either))
            return string.Join(" or ", either.EnumerateArray().Select(e => Form(root, e)));
        var atLeast = part.TryGetProperty("minItems", out var least) ? $", at least {least.GetInt32()}" : "";
        return part.GetProperty("type").ToString() switch
        {
            "boolean" => "flag",
            "array" when Form(root, part.GetProperty("items")) == "text" => "texts" + atLeast,
            "string" when part.TryGetProperty("enum", out var words) => string.Join('|', words.EnumerateArray().Select(w => $"'{w.GetString()}'")),
            """["string", "number", "boolean"]""" when part.GetProperty("pattern").GetString() == @"\S" => "text",
            _ => part.GetRawText(),
        };
    }
}
