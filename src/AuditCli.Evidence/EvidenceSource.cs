using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Evidence;

/// <summary>The form of one setting of a target.</summary>
public enum TargetSettingForm
{
    Text,
    TextList,

    /// <summary>One word, or a list of texts (<c>regions: enabled</c> or <c>regions: [eu-west-1]</c>).</summary>
    TextOrList,
    Flag,

    /// <summary>
    /// A file path: relative to the engagement's folder, absolute, or starting with <c>~/</c>; the setting's value is the full
    /// path.
    /// </summary>
    File,
}

/// <summary>A setting that an engagement may give for a target of a source.</summary>
/// <param name="Choices">The words allowed where the form takes one word; empty for any text.</param>
public sealed record TargetSetting(string Name, TargetSettingForm Form, bool Required, ImmutableArray<string> Choices)
{
    /// <summary>One sentence for people who write engagements; editors show it.</summary>
    public string Description { get; init; } = "";
}

/// <summary>
/// Describes what a kind of system offers, as plain data, so that controls can be checked without code that reaches a network.
/// </summary>
/// <param name="Name">The word control and engagement authors write, such as <c>aws</c>.</param>
/// <param name="TargetSettings">The settings that a target of this source may have.</param>
/// <param name="FindOperation">Returns the operation of that name, or null when it is not in the read-only catalogue.</param>
/// <param name="Suggest">
/// Returns names near one that was not found, best first, at most five, some followed by a reason; or the name itself and why it
/// is refused.
/// </param>
public sealed record EvidenceSource(
    string Name,
    ImmutableArray<TargetSetting> TargetSettings,
    Func<string, Operation?> FindOperation,
    Func<string, ImmutableArray<string>> Suggest)
{
    /// <summary>What a target of this source is, in one sentence for people who write engagements.</summary>
    public string TargetDescription { get; init; } = "";

    /// <summary>How an operation of this source is written, in one sentence for people who write controls.</summary>
    public string OperationDescription { get; init; } = "";

    /// <summary>
    /// Whether a target has an operation, called with the given parameters. A source whose targets are of several kinds says which of them
    /// has what; what a target does not have is not planned for it.
    /// </summary>
    public Func<Target, Operation, ImmutableSortedDictionary<string, JsonElement>, bool> Has { get; init; } = (_, _, _) => true;

    /// <summary>Returns why the settings of a target, each of them well-formed, do not fit together; null when they do.</summary>
    public Func<Target, string?> WhyNotTarget { get; init; } = _ => null;
}

/// <summary>
/// An account, project or cluster of the engagement, and where its credentials come from; it never holds the credentials.
/// </summary>
/// <param name="Settings">
/// Values by setting name: a text or <c>true</c>/<c>false</c> as a single element, a list as its elements.
/// </param>
public sealed record Target(string Name, string Source, ImmutableSortedDictionary<string, ImmutableArray<string>> Settings)
{
    /// <summary>Whether nobody named the target: it is that of one call on the command line.</summary>
    public bool IsOfOneCall { get; init; }

    /// <summary>How messages name the target, so that they never give a name that its reader did not.</summary>
    public string Label => IsOfOneCall ? "this call" : $"target {Name}";

    /// <summary>Returns the single value of a setting, or null when it is not given.</summary>
    public string? Setting(string name) => Settings.TryGetValue(name, out var values) ? values.Single() : null;
}
