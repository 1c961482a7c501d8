using System.Collections.Frozen;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Http;

/// <summary>What the model of one answer says of the value at a path.</summary>
/// <returns>The place that it is, <see cref="RedactedPlace.Stays"/> where nothing may be replaced, null where the model says nothing.</returns>
internal delegate RedactedPlace? AnswerPlaces(List<(string? Member, long Index)> at);

/// <summary>A place in answers whose values are secrets, or may be.</summary>
/// <param name="Name">As the index of evidence names it.</param>
/// <param name="Path">
/// The last steps of the path, whatever the case of their letters; <c>*</c> is any one member, <c>[]</c> any element of a JSON list. A
/// first step that is empty is the document itself. In XML an element of a list has a name of its own.
/// </param>
/// <param name="KeepsSwitches">Switches and plain numbers stay: tests need them, and nobody guesses a secret from them.</param>
internal sealed record RedactedPlace(string Name, ImmutableArray<string> Path, bool KeepsSwitches = false)
{
    /// <summary>Which part of a value is a secret; the whole where nothing says it.</summary>
    public Func<string, TextPart>? Part { get; init; }

    private static readonly FrozenSet<string> Switches = new[]
    {
        "true", "false", "yes", "no", "y", "n", "on", "off", "enable", "enabled", "disable", "disabled", "required", "requested", "accepted", "rejected", "default", "none", "null",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private const int LongestNumber = 5;

    /// <summary>No place: what stands there comes through as it is, whatever it looks like.</summary>
    public static RedactedPlace Stays { get; } = new("", "");

    public RedactedPlace(string name, string path, bool keepsSwitches = false)
        : this(name, [.. path.Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))], keepsSwitches) { }

    /// <summary>What of the value is a secret here; of no length where nothing is.</summary>
    public TextPart Secret(string value) => Keeps(value) ? TextPart.None : Part is null ? new(0, value.Length) : Part(value);

    private bool Keeps(string value) => KeepsSwitches && (Switches.Contains(value) || (value.Length <= LongestNumber && value.All(char.IsAsciiDigit)));

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

/// <summary>What never reaches the disk although a provider returned it: places by name, and members whose name says it; for texts by form see <see cref="CredentialForms"/>.</summary>
internal static class RedactionRules
{
    /// <summary>The rule of texts that look like a credential, wherever they stand.</summary>
    public const string Credential = "credential";

    private const string Any = "*";
    private const string Element = "[]";

    private static readonly RedactedPlace SecretName = new("secret-name", ["*"], KeepsSwitches: true);

    private static readonly ImmutableArray<RedactedPlace> All = [.. AwsSecretPlaces.All, .. GoogleSecretPlaces.All, .. KubernetesSecretPlaces.All];

    /// <summary>Places by their last step, which rules nearly all of them out.</summary>
    private static readonly FrozenDictionary<string, ImmutableArray<RedactedPlace>> Places = By(All.Where(p => p.Path[^1] != Any), 1);

    /// <summary>Places of any member, by the step before it.</summary>
    private static readonly FrozenDictionary<string, ImmutableArray<RedactedPlace>> PlacesOfAny = By(All.Where(p => p.Path[^1] == Any), 2);

    /// <summary>Members with which the next page is asked; whatever they look like, they are no secrets, and without them nothing goes on.</summary>
    public static FrozenSet<string> PageTokens { get; } =
        new[] { "nextToken", "nextPageToken", "continue", "nextMarker", "marker", "nextContinuationToken", "paginationToken" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Their names as parameters of requests have them too.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> PageTokenNames =
        PageTokens.Concat(["position", "continuationToken", "pageToken", "startingToken", "nextPageMarker", "nextKeyMarker", "next-token", "page-token", "page_token", "continuation-token", "key-marker"])
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether a value of that name says which page comes next.</summary>
    public static bool IsPageToken(ReadOnlySpan<char> name) => PageTokenNames.Contains(name);

    /// <summary>The rule for the value at a path; null where there is none.</summary>
    /// <param name="answer">What the model of the answer says; null inside documents of which nothing is known.</param>
    public static RedactedPlace? At(List<(string? Member, long Index)> at, AnswerPlaces? answer)
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
        if (said is not null || last is null)
            return said;
        // Another secret name than these may be what a secret is called, which the value shows.
        return SecretNames.Of(last) == NameSays.Secret ? SecretName
            : NamedForms.Says(last, option: false) ? new("secret-name", [last]) { Part = value => NamedForms.InMember(last, value) ? new(0, value.Length) : TextPart.None }
            : null;
    }

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
