using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Reads an engagement file. Checks that need the controls are made afterwards by <see cref="Check"/>, because the engagement
/// states where the controls are.
/// </summary>
public static class EngagementLoader
{
    private static readonly TimeSpan DefaultTolerance = TimeSpan.FromHours(24);

    /// <summary>
    /// Reads the engagement; returns null with every fault of the file. Values of overridden parameters are JSON by YAML's own
    /// rules until <see cref="Check"/> converts them to their parameters' types.
    /// </summary>
    /// <param name="path">The path as given; the engagement has the full path.</param>
    /// <param name="usesLibrary">Whether the folder of controls that it names is read, and so must exist.</param>
    /// <param name="shownAs">The path as messages print it; null for <paramref name="path"/>.</param>
    public static (Engagement? Engagement, ImmutableArray<Diagnostic> Faults) Load(
        string path, ImmutableArray<EvidenceSource> sources, bool usesLibrary = true, string? shownAs = null)
    {
        var (content, faults) = Content(path, shownAs ?? path);
        return content is null ? (null, faults) : Read(path, shownAs ?? path, content, sources, new EngagementFiles(path) { UsesLibrary = usesLibrary });
    }

    /// <summary>Does the same as <see cref="Load"/>, for text that is not in a file.</summary>
    /// <param name="path">The path that it would have: its folder is the engagement's, and messages print it.</param>
    public static (Engagement? Engagement, ImmutableArray<Diagnostic> Faults) Parse(string path, byte[] content, ImmutableArray<EvidenceSource> sources) =>
        Read(path, path, content, sources, new EngagementFiles(path));

    /// <summary>
    /// Does the same for a run that goes on: the inputs are the copies that the unsealed bundle has, and the library is in it too.
    /// </summary>
    /// <param name="path">The engagement's file when the run began; the paths of its targets are relative to it.</param>
    /// <param name="bundle">The folder with the copies.</param>
    /// <param name="library">The controls to be evaluated.</param>
    public static (Engagement? Engagement, ImmutableArray<Diagnostic> Faults) OfBegun(
        string path, byte[] content, string bundle, ImmutableArray<EvidenceSource> sources, ImmutableArray<Control> library) =>
        OfBundle(path, path, content, new(path) { UsesLibrary = false, InputsIn = bundle }, sources, library);

    /// <summary>
    /// Reads the engagement of a bundle. Only the bundle's own copies of the named files and folders are used: inputs are those
    /// in the bundle, exchanges are replayed, and there is no library. Statements about controls or parameters that the library
    /// lacks are left out; they were checked when the run was made. Parameters have their types, and the sealed values even when
    /// a newer library no longer allows them.
    /// </summary>
    /// <param name="bundle">The bundle's folder.</param>
    /// <param name="exchanges">The full path of the folder of recorded exchanges.</param>
    /// <param name="library">The controls to be evaluated.</param>
    public static (Engagement? Engagement, ImmutableArray<Diagnostic> Faults) OfBundle(
        string bundle, string exchanges, ImmutableArray<EvidenceSource> sources, ImmutableArray<Control> library)
    {
        var path = PathIn(bundle);
        var (content, faults) = Content(path, path);
        return content is null
            ? (null, faults)
            : OfBundle(path, path, content, new(path, file => Path.Combine([bundle, .. file.Split('/')]), File.Exists, exchanges), sources, library);
    }

    /// <summary>Does the same, with the content of the bundle's engagement, for code that repeats no exchange and opens no input.</summary>
    /// <param name="has">Whether the bundle has the file of that path.</param>
    public static (Engagement? Engagement, ImmutableArray<Diagnostic> Faults) OfBundle(
        byte[] content, Func<string, bool> has, ImmutableArray<EvidenceSource> sources, ImmutableArray<Control> library) => OfBundle(
            BundleLayout.Engagement, BundleLayout.Engagement, content, new(BundleLayout.Engagement, file => file, has, exchanges: ""), sources, library);

    private static string PathIn(string bundle) => Path.Combine([bundle, .. BundleLayout.Engagement.Split('/')]);

    private static (Engagement? Engagement, ImmutableArray<Diagnostic> Faults) OfBundle(
        string path, string shownAs, byte[] content, EngagementFiles files, ImmutableArray<EvidenceSource> sources, ImmutableArray<Control> library)
    {
        var (engagement, faults) = Read(path, shownAs, content, sources, files);
        if (engagement?.Tree?.Find("controls") is not YamlMap controls)
            return (engagement, faults);
        var wrong = new FaultList();
        var known = engagement.ParameterOverrides.Where(o => library.Any(c => c.Id == o.Control && c.Parameters.Any(p => p.Name == o.Parameter)));
        engagement = engagement with { ParameterOverrides = [.. known] };
        engagement = engagement with { ParameterOverrides = Overrides(engagement, controls, library, wrong, ofBundle: true) };
        return wrong.Count > 0 ? (null, wrong.InOrder()) : (engagement, []);
    }

    /// <summary>
    /// Checks what needs the controls: every ID and glob matches one, and every override names a parameter of a control, with a
    /// value of its type and form. Returns the engagement with typed values, and the faults.
    /// </summary>
    /// <param name="library">Every control of the library, including retired ones.</param>
    public static (Engagement Engagement, ImmutableArray<Diagnostic> Faults) Check(Engagement engagement, ImmutableArray<Control> library)
    {
        var faults = new FaultList();
        if (engagement.Tree?.Find("controls") is not YamlMap controls)
            return (engagement, []);
        var ids = library.Select(c => c.Id).ToImmutableArray();
        foreach (var item in (controls.Find("include") as YamlList)?.Items.OfType<YamlScalar>() ?? [])
        {
            if (!ids.Any(id => IdGlob.Matches(item.Text, id)))
            {
                faults.Meaning(item.Position, IdGlob.IsGlob(item.Text)
                    ? $"'{item.Text}' matches no control of the library"
                    : $"there is no control '{item.Text}'{NearMiss.Hint(item.Text, ids)}");
            }
        }
        foreach (var (id, _) in (controls.Find("not_applicable") as YamlMap)?.Entries ?? [])
        {
            if (!ids.Contains(id.Text))
                faults.Meaning(id.Position, $"there is no control '{id.Text}'{NearMiss.Hint(id.Text, ids)}");
        }
        var overrides = Overrides(engagement, controls, library, faults);
        return (engagement with { ParameterOverrides = overrides }, faults.InOrder());
    }

    private static (byte[]? Content, ImmutableArray<Diagnostic> Faults) Content(string path, string shownAs)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists && file.Length > YamlDocument.MaximumBytes
                ? (null, [new(shownAs, 1, 1, $"the file has {file.Length} bytes; at most {YamlDocument.MaximumBytes} are read", DiagnosticKind.Form)])
                : (RegularFile.ReadAllBytes(path), []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, [new(shownAs, 1, 1, $"the engagement cannot be read: {e.Message}", DiagnosticKind.Meaning)]);
        }
    }

    private static (Engagement?, ImmutableArray<Diagnostic>) Read(
        string path, string shownAs, byte[] content, ImmutableArray<EvidenceSource> sources, EngagementFiles files)
    {
        var (root, parseFaults) = YamlDocument.Parse(shownAs, content);
        var faults = new FaultList();
        faults.AddRange(parseFaults);
        if (root is null || MapReader.Of(root, "an engagement", faults) is not { } map || !map.SchemaIsOne())
            return (null, faults.InOrder());

        var full = Path.GetFullPath(path);
        var entity = map.Text("entity");
        var name = map.Text("name");
        var period = PeriodReader.Read(map, faults);
        var asOf = map.Optional("as_of") is { } moment ? NodeReader.Timestamp(moment, "'as_of'", faults) : null;
        var tolerance = map.OptionalFormed("as_of_tolerance", TextForm.Duration);
        var people = new PeopleReader(faults) { AreSealed = files.AreABundles };
        var (preparer, reviewer) = people.Read(map);
        var team = people.Team(map, preparer, reviewer);
        var retainFrom = map.Optional("retain_from") is { } retained ? NodeReader.Date(retained, "'retain_from'", faults) : null;
        var hold = Hold(map, people);
        var library = files.Library(map, faults);
        var (include, notApplicable, overrides) = Controls(map, people, faults);
        var inputs = Inputs(map, files, faults);
        var (targets, readByAuditor) = TargetReader.Read(map, sources, files.Folder, live: files.AreLive(map), faults);
        var replay = files.Replay(map, faults);
        map.Close();
        if (faults.Count > 0 || period is null)
            return (null, faults.InOrder());
        return (new()
        {
            Entity = entity,
            Name = name,
            Period = period,
            AsOf = asOf,
            AsOfTolerance = tolerance is null ? DefaultTolerance : PeriodReader.Duration(tolerance),
            Preparer = preparer,
            Reviewer = reviewer,
            Team = team,
            RetainFrom = retainFrom,
            LegalHold = hold,
            ReadByAuditor = readByAuditor,
            Library = library,
            Include = include,
            NotApplicable = notApplicable,
            ParameterOverrides = overrides,
            Inputs = inputs,
            Targets = targets,
            Replay = replay,
            StatesReplay = (root as YamlMap)?.Find("replay") is not null,
            File = full,
            Source = content,
            Tree = root as YamlMap,
        }, []);
    }

    private static LegalHold? Hold(MapReader map, PeopleReader people)
    {
        if (map.OptionalMap("legal_hold") is not { } hold)
            return null;
        var read = new LegalHold(hold.Date("since") ?? default, people.Name(hold, "by"), people.Reason(hold, "why"));
        hold.Close();
        return read;
    }

    private static (ImmutableArray<string>, ImmutableArray<NotApplicable>, ImmutableArray<ParameterOverride>) Controls(
        MapReader map, PeopleReader people, FaultList faults)
    {
        if (map.OptionalMap("controls") is not { } controls)
            return ([], [], []);
        var include = controls.OptionalTexts("include");
        var leftOut = ImmutableArray.CreateBuilder<NotApplicable>();
        foreach (var (id, value) in controls.OptionalEntries("not_applicable", TextForm.ControlId))
        {
            if (MapReader.Of(value, $"'{id.Text}'", faults) is not { } reader)
                continue;
            leftOut.Add(new(id.Text, reader.Text("reason"), reader.Text("approved_by"), reader.Date("approved_on") ?? default));
            reader.Close();
        }
        var overrides = ImmutableArray.CreateBuilder<ParameterOverride>();
        foreach (var (id, value) in controls.OptionalEntries("parameters", TextForm.ControlId))
        {
            foreach (var (parameter, settings) in NodeReader.Entries(value, $"'{id.Text}'", TextForm.Parameter, 0, faults))
            {
                if (MapReader.Of(settings, $"'{parameter.Text}'", faults) is not { } reader)
                    continue;
                var node = reader.Required("value");
                var (by, why) = (people.Name(reader, "by"), people.Reason(reader, "why"));
                reader.Close();
                if (node is not null && (node is not YamlScalar || TypedValue.IsNull(node)))
                    faults.Form(node.Position, $"'value' must be one value, but is {node.Described}");
                else if (node is not null)
                    overrides.Add(new(id.Text, parameter.Text, CoreSchema.ToJson(node), by, why));
            }
        }
        controls.Close();
        return (include, leftOut.ToImmutable(), overrides.ToImmutable());
    }

    private static ImmutableArray<ParameterOverride> Overrides(
        Engagement engagement, YamlMap controls, ImmutableArray<Control> library, FaultList faults, bool ofBundle = false)
    {
        var typed = new Dictionary<(string, string), JsonElement>();
        foreach (var (id, value) in (controls.Find("parameters") as YamlMap)?.Entries ?? [])
        {
            if (library.FirstOrDefault(c => c.Id == id.Text) is not { } control)
            {
                if (!ofBundle)
                    faults.Meaning(id.Position, $"there is no control '{id.Text}'{NearMiss.Hint(id.Text, library.Select(c => c.Id))}");
                continue;
            }
            foreach (var (name, settings) in (value as YamlMap)?.Entries ?? [])
            {
                var parameter = control.Parameters.FirstOrDefault(p => p.Name == name.Text);
                if (parameter is null && !ofBundle)
                {
                    var hint = NearMiss.Hint(name.Text, control.Parameters.Select(p => p.Name));
                    faults.Meaning(name.Position, $"{control.Id} has no parameter '{name.Text}'{hint}");
                }
                else if (parameter is not null && (settings as YamlMap)?.Find("value") is { } node
                    && ParameterValue.Read(
                        node, parameter.Column, ofBundle ? ParameterForm.Any : parameter.Form, $"parameter '{name.Text}' of {control.Id}", faults) is { } read)
                    typed[(control.Id, parameter.Name)] = read;
            }
        }
        return [.. engagement.ParameterOverrides.Select(o => typed.TryGetValue((o.Control, o.Parameter), out var read) ? o with { Value = read } : o)];
    }

    private static ImmutableArray<EngagementInput> Inputs(MapReader map, EngagementFiles files, FaultList faults)
    {
        var inputs = ImmutableArray.CreateBuilder<EngagementInput>();
        foreach (var (name, value) in map.OptionalEntries("inputs", TextForm.Name))
        {
            if (MapReader.Of(value, $"input '{name.Text}'", faults) is not { } reader)
                continue;
            var written = reader.Text("file");
            var path = written.Length == 0 ? null : files.Input(name.Text, reader.Map.Find("file")!, written, faults);
            var obtainedOn = reader.Date("obtained_on") ?? default;
            var input = new EngagementInput(name.Text, path ?? "", reader.Text("obtained_from"), obtainedOn,
                reader.Text("how"), reader.Optional("stated_rows") is { } rows ? NodeReader.Count(rows, "'stated_rows'", faults) : null,
                reader.OptionalText("report_parameters"), written)
            {
                Layout = InputReader.Layout(reader, written, faults),
                StatedTotals = InputReader.Totals(reader, faults),
                // A bundle's copy may have digests in the place of personal values; verification compares it with what was sealed.
                Receipt = InputReader.Receipt(reader, name.Text, files.AreOriginals ? path : null, obtainedOn, faults),
            };
            reader.Close();
            if (path is not null || !files.AreABundles)
                inputs.Add(input);
        }
        return inputs.ToImmutable();
    }
}
