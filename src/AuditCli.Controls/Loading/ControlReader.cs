using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Reads one control file. Everything is read before anything is checked, so that all faults are reported at once; only a file
/// without a fault becomes a <see cref="Control"/>.
/// </summary>
internal sealed class ControlReader
{
    private readonly FaultList _faults = new();
    private readonly ImmutableDictionary<string, TextPosition>.Builder _positions =
        ImmutableDictionary.CreateBuilder<string, TextPosition>(StringComparer.Ordinal);

    private readonly LibraryFile _file;
    private readonly ImmutableArray<EvidenceSource> _sources;
    private readonly bool _inBundle;

    private ControlReader(LibraryFile file, ImmutableArray<EvidenceSource> sources, bool inBundle)
    {
        _file = file;
        _sources = sources;
        _inBundle = inBundle;
    }

    /// <summary>
    /// Reads the control; returns null with its faults. The positions are those of the ID, of each SQL text and of each reference.
    /// </summary>
    /// <param name="inBundle">
    /// Whether the file is a bundle's copy, which has a lower-case name and is not in a domain's folder.
    /// </param>
    public static (Control? Control, ImmutableDictionary<string, TextPosition> Positions, ImmutableArray<Diagnostic> Faults) Read(
        LibraryFile file, ImmutableArray<EvidenceSource> sources, bool inBundle = false)
    {
        var reader = new ControlReader(file, sources, inBundle);
        var control = reader.Read();
        return (reader._faults.Count == 0 ? control : null, reader._positions.ToImmutable(), reader._faults.InOrder());
    }

    private Control? Read()
    {
        var (root, faults) = YamlDocument.Parse(_file.ShownAs, _file.Content.Span);
        _faults.AddRange(faults);
        if (root is null || MapReader.Of(root, "a control", _faults) is not { } map || !map.SchemaIsOne())
            return null;

        var id = map.Formed("id", TextForm.ControlId);
        var drafts = EvidenceReader.Read(map.Entries("evidence", TextForm.Name, atLeast: 1), _sources, _inBundle, _faults);
        EvidenceChecks.Check(drafts, _inBundle, _faults);
        foreach (var draft in drafts)
            Remember($"evidence.{draft.Name}.unmatched", (draft.Entry.Value as YamlMap)?.Find("unmatched"));
        var (nature, execution) = Nature(map);
        var (checks, noCompleteness) = Completeness(map);
        var parameters = Parameters(map);
        var control = new Control
        {
            Id = id,
            Version = map.Formed("version", TextForm.Version),
            Title = map.Text("title"),
            Objective = map.Text("objective"),
            Risk = map.Text("risk"),
            Domain = map.Word("domain", ControlWords.Domains) ?? default,
            NatureType = nature,
            NatureExecution = execution,
            Frequency = map.Word("frequency", ControlWords.Frequencies),
            Kind = map.Word("kind", ControlWords.Kinds) ?? default,
            Mode = map.Word("mode", ControlWords.Modes) ?? default,
            KeyControl = map.Flag("key_control"),
            Owner = map.Text("owner"),
            References = References(map),
            Parameters = parameters,
            Evidence = [.. drafts.Select(d => d.Need).OfType<EvidenceNeed>()],
            Completeness = checks,
            NoCompleteness = noCompleteness,
            Tests = Tests(map, parameters),
            Waivers = Waivers(map, drafts),
            Recommendation = map.Text("recommendation"),
            Status = map.OptionalWord("status", ControlWords.Statuses) ?? "active",
            ReplacedBy = map.OptionalFormed("replaced_by", TextForm.ControlId),
            ClientControlRef = map.OptionalText("client_control_ref"),
            Limitations = map.OptionalTexts("limitations"),
            AcrossEngagement = map.OptionalWord("across", ["engagement"]) is not null,
            SamplingPolicyRow = Sampling(map),
            HumanAttributes = Questions(map),
            Walkthrough = map.OptionalText("walkthrough"),
            Performer = map.OptionalText("performer"),
            Systems = map.OptionalTexts("systems"),
            ReliedOnBy = map.OptionalTexts("relied_on_by"),
            Design = RelianceReader.Design(map, _inBundle, _faults),
            File = _file.ShownAs,
            Source = _file.Content,
        };
        foreach (var draft in drafts.Where(d => control.AcrossEngagement && d.Need is { AcrossEngagement: true }))
            _faults.Meaning(draft.At("across"), "the whole control has 'across: engagement', so every table holds all accounts; remove it here");
        map.Close();
        Remember("id", map.Map.Find("id"));
        Remember("replaced_by", map.Map.Find("replaced_by"));
        WhereItStands(map.Map, control);
        return control;
    }

    /// <summary>
    /// Checks that the file's path matches the ID and the domain, so that both can be found without opening the file.
    /// </summary>
    private void WhereItStands(YamlMap map, Control control)
    {
        var parts = _file.Path.Split('/');
        if (!_inBundle && map.Find("domain") is { } domain && ControlWords.Domains.Any(d => d.Value == control.Domain)
            && domain is YamlScalar { Text: var word } && ControlWords.Domains.Any(d => d.Word == word) && parts[0] != word)
            _faults.Meaning(domain.Position, $"the domain is '{word}', but the file is in the folder '{parts[0]}'");
        var name = (_inBundle ? control.Id.ToLowerInvariant() : control.Id) + ".yaml";
        if (control.Id.Length > 0 && parts[^1] != name)
            _faults.Meaning(map.Find("id")!.Position, $"the id is '{control.Id}', so the file must be called {name}, not {parts[^1]}");
        if (control.ReplacedBy is not null && control.Status != "retired")
            _faults.Meaning(map.Find("replaced_by")!.Position, "'replaced_by' is only for a retired control; add 'status: retired'");
        if (control.ReplacedBy == control.Id && control.Id.Length > 0)
            _faults.Meaning(map.Find("replaced_by")!.Position, "a control cannot replace itself");
    }

    private static (string Type, string Execution) Nature(MapReader map)
    {
        if (map.RequiredMap("nature") is not { } nature)
            return ("", "");
        var read = (nature.Word("type", ControlWords.NatureTypes), nature.Word("execution", ControlWords.NatureExecutions));
        nature.Close();
        return read;
    }

    private ImmutableSortedDictionary<string, ImmutableArray<string>> References(MapReader map)
    {
        var references = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Entries("references", TextForm.Framework))
        {
            references.Add(key.Text, NodeReader.Texts(value, $"'{key.Text}'", 1, _faults));
            Remember(FrameworkList.PlaceOf(key.Text), key);
            foreach (var (item, index) in ((value as YamlList)?.Items ?? []).Select((item, index) => (item, index)))
                Remember(FrameworkList.PlaceOf(key.Text, index), item);
        }
        return references.ToImmutable();
    }

    private ImmutableArray<ControlParameter> Parameters(MapReader map)
    {
        var parameters = ImmutableArray.CreateBuilder<ControlParameter>();
        foreach (var (name, value) in map.OptionalEntries("parameters", TextForm.Parameter))
        {
            if (ParameterNames.Always.Contains(name.Text))
                _faults.Meaning(name.Position, $"${name.Text} is predefined; give the parameter another name");
            if (MapReader.Of(value, $"parameter '{name.Text}'", _faults) is not { } reader)
                continue;
            var type = reader.Required("type") is { } word ? ValueTypeReader.Read(name.Text, word, "'type'", ValueTypeReader.Words, _faults) : null;
            var node = reader.Required("default");
            var why = reader.Text("why");
            var form = ParameterFormReader.Read(reader, type, _faults);
            reader.Close();
            Remember($"parameters.{name.Text}", reader.Map.Find("type"));
            if (node is null)
                continue;
            if (node is not YamlScalar || TypedValue.IsNull(node))
            {
                _faults.Form(node.Position, $"'default' must be one value, but is {node.Described}");
                continue;
            }
            // Values in a bundle were checked by the program that sealed it.
            var allowed = _inBundle || form is null ? ParameterForm.Any : form;
            if (type is { } known && ParameterValue.Read(node, known, allowed, "'default'", _faults) is { } typed)
                parameters.Add(new(name.Text, known.Type, typed, why) { Scale = known.Scale, Form = form ?? ParameterForm.Any });
        }
        return parameters.ToImmutable();
    }

    private (ImmutableArray<CompletenessCheck> Checks, string? None) Completeness(MapReader map)
    {
        if (map.Required("completeness") is not { } node)
            return ([], null);
        if (node is YamlMap reasons)
        {
            var none = new MapReader(reasons, _faults);
            var why = none.Text("none");
            none.Close();
            return ([], why);
        }
        var checks = ImmutableArray.CreateBuilder<CompletenessCheck>();
        foreach (var item in NodeReader.Items(node, "'completeness' (or a map with 'none' and the reason)", 1, _faults))
        {
            if (MapReader.Of(item, "a completeness check", _faults) is not { } check)
                continue;
            Remember($"completeness[{checks.Count}].sql", check.Map.Find("sql"));
            Remember($"completeness[{checks.Count}].equals", check.Map.Find("equals"));
            var across = check.OptionalWord("across", ["engagement"]) is not null;
            if (across && map.Map.Find("across") is null)
            {
                _faults.Meaning(
                    check.Map.Find("across")!.Position,
                    "a check counts over the whole engagement only in a control that has 'across: engagement'; here it sees one account at a time");
            }
            checks.Add(new(check.Text("name"), check.Text("sql"), check.Text("equals"))
            {
                AcrossEngagement = across,
                Sources = RelianceReader.Sources(check, _faults),
            });
            check.Close();
        }
        return (checks.ToImmutable(), null);
    }

    private ImmutableArray<TestProcedure> Tests(MapReader map, ImmutableArray<ControlParameter> parameters)
    {
        var tests = ImmutableArray.CreateBuilder<TestProcedure>();
        foreach (var item in map.Items("tests", atLeast: 1))
        {
            if (MapReader.Of(item, "a test", _faults) is not { } test)
                continue;
            var id = test.Formed("id", TextForm.PartId);
            Remember($"tests[{id}].sql", test.Map.Find("sql"));
            Unique(id, tests.Select(t => t.Id), test.Map);
            NotOfAFile(id, test.Map);
            TitleInWords(test.Map, parameters);
            tests.Add(new(id, test.Text("title"), test.Text("sql"), test.OptionalText("attribute"), test.OptionalText("severity"),
                test.OptionalFlag("stands_when_incomplete"))
            {
                Population = RelianceReader.Population(test),
                Procedure = test.OptionalText("procedure"),
                Method = test.OptionalWord("method", ControlWords.Methods),
                Assertions = RelianceReader.Assertions(test, _faults),
                Mode = test.OptionalWord("mode", ControlWords.Modes),
            });
            test.Close();
        }
        return tests.ToImmutable();
    }

    /// <summary>Refuses <c>$name</c> in a title: only SQL has values for it, so reports would print the name.</summary>
    private void TitleInWords(YamlMap test, ImmutableArray<ControlParameter> parameters)
    {
        if (!_inBundle && test.Find("title") is YamlScalar title
            && parameters.FirstOrDefault(p => title.Text.Contains('$' + p.Name, StringComparison.Ordinal)) is { } named)
        {
            _faults.Meaning(title.Position, $"a title is printed literally, including '${named.Name}'; put the meaning of the parameter into words");
        }
    }

    private WaiverRule? Waivers(MapReader map, ImmutableArray<EvidenceDraft> drafts)
    {
        if (map.OptionalMap("waivers") is not { } waivers)
            return null;
        var rule = new WaiverRule(waivers.Text("from"), waivers.Text("item"), waivers.Text("expires"), waivers.Text("approved_by"),
            waivers.Text("approved_on"), waivers.Text("reason"));
        waivers.Close();
        if (rule.From.Length > 0)
            EvidenceChecks.Check(rule, waivers.Map, drafts, _faults);
        return rule;
    }

    private static string? Sampling(MapReader map)
    {
        if (map.OptionalMap("sampling") is not { } sampling)
            return null;
        var row = sampling.Text("policy_row");
        sampling.Close();
        return row;
    }

    private ImmutableArray<HumanQuestion> Questions(MapReader map)
    {
        var questions = ImmutableArray.CreateBuilder<HumanQuestion>();
        foreach (var item in map.OptionalItems("human_attributes"))
        {
            if (MapReader.Of(item, "a human attribute", _faults) is not { } question)
                continue;
            var id = question.Formed("id", TextForm.PartId);
            Unique(id, questions.Select(q => q.Id), question.Map);
            questions.Add(new(id, question.Text("question")));
            question.Close();
        }
        return questions.ToImmutable();
    }

    /// <summary>
    /// Checks that an ID is unique regardless of case, because IDs become parts of file names, and some file systems ignore case.
    /// </summary>
    private void Unique(string id, IEnumerable<string> others, YamlMap map)
    {
        if (id.Length > 0 && others.FirstOrDefault(o => o.Equals(id, StringComparison.OrdinalIgnoreCase)) is { } twin)
            _faults.Meaning(map.Find("id")!.Position, $"the id '{id}' is taken by '{twin}' above");
    }

    /// <summary>Refuses the id of a test whose rows would have the name of the file of results by partition.</summary>
    private void NotOfAFile(string id, YamlMap map)
    {
        if (BundleLayout.RowsName("", id) == BundleLayout.PartitionsName(""))
            _faults.Meaning(map.Find("id")!.Position, $"'{id}' names a file of every bundle, so that no test can have it; use another id, such as T1");
    }

    private void Remember(string key, YamlNode? node)
    {
        if (node is YamlScalar scalar)
            _positions[key] = scalar.Content;
    }
}
