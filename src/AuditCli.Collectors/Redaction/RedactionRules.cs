using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Redaction;

/// <summary>Returns what the model of a response defines for the value at a path.</summary>
/// <returns>
/// The place; <see cref="RedactedPlace.Stays"/> if nothing may be replaced there; null if the model does not define anything.
/// </returns>
internal delegate RedactedPlace? AnswerPlaces(List<(string? Member, long Index)> at);

/// <summary>A place in responses whose values are secrets, or may be.</summary>
/// <param name="Name">The rule name in the evidence index.</param>
/// <param name="Path">
/// The last steps of the path, compared without case; <c>*</c> is any member, <c>[]</c> any element of a JSON list. An empty first step is
/// the document itself. In XML an element of a list has its own name.
/// </param>
/// <param name="KeepsSwitches">Whether flags and short plain numbers are kept: tests need them, and they are not secrets.</param>
public sealed record RedactedPlace(string Name, ImmutableArray<string> Path, bool KeepsSwitches = false)
{
    /// <summary>Returns the part of a value that is secret; null if the whole value is.</summary>
    internal Func<string, TextPart>? Part { get; init; }

    private static readonly FrozenSet<string> Switches = new[]
    {
        "true", "false", "yes", "no", "y", "n", "on", "off", "enable", "enabled", "disable", "disabled", "required", "requested", "accepted",
        "rejected", "default", "none", "null",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private const int LongestNumber = 5;

    /// <summary>The name of a place that has no rule, because its values are kept.</summary>
    private const string NoRule = "";

    /// <summary>Marks a page token, which paging needs; it is kept unless it has the form of a credential that providers do not give as one.</summary>
    public static RedactedPlace Stays { get; } = new(NoRule, "");

    /// <summary>The name of the rule that applies to the whole value; null if none does.</summary>
    internal string? Rule => Part is null && Name != NoRule ? Name : null;

    public RedactedPlace(string name, string path, bool keepsSwitches = false)
        : this(
            name,
            [.. path.Split('/').Select(JsonPointer.Unescape)],
            keepsSwitches)
    {
    }

    /// <summary>Returns the secret part of the value at this place; of length 0 if there is none.</summary>
    internal TextPart Secret(string value) => Keeps(value) ? TextPart.None : Part is null ? new(0, value.Length) : Part(value);

    private bool Keeps(string value) => KeepsSwitches && (Switches.Contains(value) || (value.Length <= LongestNumber && value.All(char.IsAsciiDigit)));

    /// <summary>Returns this place as the only place of a response that a model defines, with the page token.</summary>
    internal AnswerPlaces AsPageToken() => at => IsAt(at) ? Stays : null;

    public bool IsAt(List<(string? Member, long Index)> at)
    {
        var anchored = Path[0].Length == 0;
        var steps = anchored ? Path.Length - 1 : Path.Length;
        if (anchored ? at.Count != steps : at.Count < steps)
            return false;
        for (var i = 1; i <= steps; i++)
        {
            var (wanted, (member, _)) = (Path[^i], at[^i]);
            if (wanted == "[]" ? member is not null : member is null || (wanted != "*" && !wanted.Equals(member, StringComparison.OrdinalIgnoreCase)))
                return false;
        }
        return true;
    }
}

/// <summary>
/// The rules for provider data that is never written to disk: places by path, and members by name. For texts by their form see
/// <see cref="CredentialForms"/>.
/// </summary>
internal static class RedactionRules
{
    /// <summary>The rule name of texts that look like a credential, at any place.</summary>
    public const string Credential = "credential";

    private const string Any = "*";
    private const string Element = "[]";

    private static readonly RedactedPlace SecretName = new("secret-name", ["*"], KeepsSwitches: true);

    private static readonly RedactedPlace UnderSecret = UnderA(NameSays.Secret);
    private static readonly RedactedPlace UnderKey = UnderA(NameSays.Key);
    private static readonly RedactedPlace UnderPerhaps = UnderA(NameSays.Perhaps);

    private static readonly ImmutableArray<RedactedPlace> All = [.. CollectorCatalog.All.SelectMany(c => c.SecretPlaces)];

    /// <summary>The places by their last step, a look-up that excludes nearly all of them.</summary>
    private static readonly FrozenDictionary<string, ImmutableArray<RedactedPlace>> Places = By(All.Where(p => p.Path[^1] != Any), 1);

    /// <summary>The places that end with any member, by the step before it.</summary>
    private static readonly FrozenDictionary<string, ImmutableArray<RedactedPlace>> PlacesOfAny = By(All.Where(p => p.Path[^1] == Any), 2);

    /// <summary>
    /// The names of page tokens in responses and requests. A name alone makes no value a page token: of a response, only the place that its
    /// model defines does.
    /// </summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> PageTokenNames = new[]
    {
        "nextToken", "nextPageToken", "continue", "nextMarker", "marker", "nextContinuationToken", "paginationToken", "position", "continuationToken",
        "pageToken", "startingToken", "nextPageMarker", "nextKeyMarker", "next-token", "page-token", "page_token", "continuation-token", "key-marker",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether a page token of an exchange may have that name.</summary>
    public static bool IsPageToken(ReadOnlySpan<char> name) => PageTokenNames.Contains(name);

    /// <summary>Returns the rule for the value at a path; null if there is none.</summary>
    /// <param name="answer">The places that the model of the response defines; null inside documents without a model.</param>
    /// <param name="announces">Whether the last name announces a secret, if that is known.</param>
    public static RedactedPlace? At(List<(string? Member, long Index)> at, AnswerPlaces? answer, bool? announces = null)
    {
        if (at.Count == 0)
            return null;
        var said = answer?.Invoke(at);
        if (ReferenceEquals(said, RedactedPlace.Stays))
            return said;
        var last = at[^1].Member;
        if (In(Places, last ?? Element, at) is { } place)
            return place;
        if (last is not null && at.Count > 1 && (In(PlacesOfAny, at[^2].Member ?? Element, at) ?? In(PlacesOfAny, Any, at)) is { } below)
            return below;
        if (said is not null || last is null || !(announces ?? NamedForms.Says(last, option: false)))
            return said;
        // The name may be that of a secret or of its identifier; then the value decides.
        return SecretNames.Of(last) == NameSays.Secret
            ? SecretName
            : new(SecretName.Name, [last]) { Part = value => NamedForms.InMember(last, value) ? new(0, value.Length) : TextPart.None };
    }

    /// <summary>Returns the rule for a text in an object or array whose name says that it is secret; null if there is none.</summary>
    /// <param name="says">What that name says, see <see cref="NameSays"/>.</param>
    public static RedactedPlace? Under(NameSays says) => says switch
    {
        NameSays.Secret => UnderSecret,
        NameSays.Key => UnderKey,
        NameSays.Perhaps => UnderPerhaps,
        _ => null,
    };

    private static RedactedPlace UnderA(NameSays says) => new(SecretName.Name, [Any])
    {
        Part = value => value.AsSpan().Trim() is var text && !text.ContainsAny(" \t\r\n") && SecretNames.Holds(says, text, assigned: true)
            ? new(0, value.Length) : TextPart.None,
    };

    private static RedactedPlace? In(FrozenDictionary<string, ImmutableArray<RedactedPlace>> places, string step, List<(string? Member, long Index)> at)
    {
        if (places.TryGetValue(step, out var candidates))
        {
            foreach (var place in candidates)
            {
                if (place.IsAt(at))
                    return place;
            }
        }
        return null;
    }

    private static FrozenDictionary<string, ImmutableArray<RedactedPlace>> By(IEnumerable<RedactedPlace> places, int stepFromEnd) => places
        .GroupBy(p => p.Path[^stepFromEnd], StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.OrdinalIgnoreCase);
}
