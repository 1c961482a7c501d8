using System.Collections.Immutable;
using AuditCli.Controls.Yaml;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Reads the keys of a control with which a reader judges how far to rely on it. All are optional; reports print "not stated" for what is
/// not there.
/// </summary>
internal static class RelianceReader
{
    /// <summary>Reads <c>population</c> of a test.</summary>
    public static PopulationStatement? Population(MapReader test)
    {
        if (test.OptionalMap("population") is not { } population)
            return null;
        var read = new PopulationStatement(
            population.Formed("unit", TextForm.Unit), population.OptionalText("definition"), population.OptionalText("boundary"),
            population.OptionalTexts("excluded"), population.OptionalText("precision"));
        population.Close();
        return read;
    }

    /// <summary>Reads <c>assertions</c> of a test.</summary>
    public static ImmutableArray<string> Assertions(MapReader test, FaultList faults) =>
    [
        .. test.OptionalItems("assertions").Select(item => NodeReader.Word(item, "an assertion", ControlWords.Assertions, faults)).OfType<string>(),
    ];

    /// <summary>Reads <c>sources</c> of a completeness check. Two counts from one source would agree whatever it leaves out.</summary>
    public static ImmutableArray<string> Sources(MapReader check, FaultList faults)
    {
        if (check.Optional("sources") is not { } node)
            return [];
        var sources = NodeReader.Texts(node, "'sources'", 2, faults);
        if (node is YamlList { Items.Length: > 2 })
            faults.Form(node.Position, "'sources' has two entries: where the number of 'sql' comes from, and where that of 'equals' does");
        else if (sources is [var first, var second] && first.Equals(second, StringComparison.OrdinalIgnoreCase))
            faults.Meaning(node.Position, $"both numbers come from '{first}', so they prove nothing together; name two sources");
        return sources;
    }

    /// <summary>Reads <c>design</c> of a control.</summary>
    /// <param name="inBundle">Whether the file is a bundle's copy, which is read whatever it states.</param>
    public static DesignStatement? Design(MapReader map, bool inBundle, FaultList faults)
    {
        if (map.OptionalMap("design") is not { } design)
            return null;
        var how = design.Text("how_it_addresses");
        var (result, by, why) = (design.OptionalWord("result", ControlWords.DesignResults), design.OptionalText("by"), design.OptionalText("rationale"));
        var on = design.Optional("on") is { } node ? NodeReader.Date(node, "'on'", faults) : null;
        design.Close();
        if (result is not null && by is not null && why is not null && on is { } day)
        {
            if (!inBundle && result == "ineffective" && map.Map.Find("kind") is YamlScalar { Text: "operating-effectiveness" } kind)
            {
                faults.Meaning(
                    kind.Position,
                    "a control whose design is ineffective cannot operate effectively, so nothing can be concluded of its operation; state 'kind: design'");
            }
            return new(how, new(result, by, day, why));
        }
        if (result is not null || by is not null || why is not null || design.Map.Find("on") is not null)
        {
            faults.Meaning(
                design.Map.Position,
                "an assessment of the design has 'result', 'by', 'on' and 'rationale', so that a reader knows whose it is; state all or none");
        }
        return new(how, null);
    }
}
