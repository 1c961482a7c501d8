using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Loading;

/// <summary>Reads the people that an engagement names, and the reasons that they give.</summary>
internal sealed class PeopleReader(FaultList faults)
{
    private static ImmutableArray<(string Word, TeamRole Value)> TeamRoles { get; } =
        [("preparer", TeamRole.Preparer), ("reviewer", TeamRole.Reviewer), ("respondent", TeamRole.Respondent)];

    /// <summary>Whether the engagement is that of a bundle. An earlier version sealed some names that are refused today.</summary>
    public bool AreSealed { get; init; }

    /// <summary>Reads who prepares and who reviews, two different people.</summary>
    public (string Preparer, string Reviewer) Read(MapReader map)
    {
        var preparer = Name(map, "preparer");
        var reviewer = Name(map, "reviewer");
        if (preparer.Length > 0 && Are(preparer, reviewer))
            faults.Meaning(map.Map.Find("reviewer")!.Position, $"'{reviewer}' is the preparer; somebody else must review");
        return (preparer, reviewer);
    }

    /// <summary>Reads the people of the engagement. Nobody has two roles, or who prepares could review.</summary>
    public ImmutableArray<TeamMember> Team(MapReader map, string preparer, string reviewer)
    {
        var team = ImmutableArray.CreateBuilder<TeamMember>();
        foreach (var item in map.OptionalItems("team"))
        {
            if (MapReader.Of(item, "a person of the team", faults) is not { } person)
                continue;
            var name = Name(person, "name");
            var role = person.Word("role", TeamRoles);
            var key = Key(person);
            person.Close();
            if (name.Length == 0 || role is not { } known)
                continue;
            if (key is not null && team.FirstOrDefault(m => m.Key == key) is { } owner)
                faults.Meaning(person.Map.Position, $"'{name}' has the key of '{owner.Name}'; each person signs with a key of their own");
            if (team.Any(m => PersonName.IsSame(m.Name, name)))
                faults.Meaning(person.Map.Position, $"'{name}' is in the team already");
            else if (known == TeamRole.Reviewer && Are(name, preparer))
                faults.Meaning(person.Map.Position, $"'{name}' is the preparer; somebody else must review");
            else if (known != TeamRole.Reviewer && Are(name, reviewer))
                faults.Meaning(person.Map.Position, $"'{name}' is the reviewer, who neither prepares nor answers");
            team.Add(new(name, known, key));
        }
        return team.ToImmutable();
    }

    /// <summary>Reads a required name of a person; returns an empty text if there is none.</summary>
    public string Name(MapReader map, string key)
    {
        var name = map.Text(key);
        if (name.Length > 0 && !AreSealed && !Engagement.IsNobodyYet(name) && PersonName.WhyNot(name.Trim()) is { } why)
            faults.Meaning(map.Map.Find(key)!.Position, $"'{key}' is '{PrintableText.Of(name)}', which {why}; name a person");
        return name;
    }

    /// <summary>Reads a required reason; returns an empty text if there is none.</summary>
    public string Reason(MapReader map, string key)
    {
        var reason = map.Text(key);
        if (reason.Length > 0 && !AreSealed && Filler.GivesNoReason(reason))
            faults.Meaning(map.Map.Find(key)!.Position, $"'{key}' is '{PrintableText.Of(reason)}', which says nothing; give the reason");
        return reason;
    }

    /// <summary>Whether a name may be that of somebody who must be another person.</summary>
    private bool Are(string name, string person) => AreSealed ? PersonName.IsSame(name, person) : PersonName.MayBe(name, person);

    /// <summary>Reads the fingerprint of a person's key.</summary>
    private Digest? Key(MapReader person)
    {
        if (person.OptionalText("key") is not { } text)
            return null;
        if (Digest.TryParse(text, out var key))
            return key;
        faults.Form(person.Map.Find("key")!.Position, "'key' is a fingerprint, 64 hexadecimal digits in lower case, as 'auditcli keys show' prints it");
        return null;
    }
}
