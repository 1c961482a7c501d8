using System.Collections.Immutable;

namespace AuditCli.Evidence.People;

/// <summary>What a person states about a sealed bundle. The words are part of file names and of the predicate's type.</summary>
public static class PeopleKind
{
    /// <summary>The person prepared or reviewed the work, and vouches for it.</summary>
    public const string Signoff = "signoff";

    /// <summary>The person remarks something, or replies to a remark.</summary>
    public const string Annotated = "annotated";

    /// <summary>The person verified the bundle, and it held.</summary>
    public const string Verified = "verified";

    /// <summary>The person handed a copy over.</summary>
    public const string Exported = "exported";

    /// <summary>Another bundle takes this one's place.</summary>
    public const string Superseded = "superseded";

    /// <summary>The bundle is kept beyond its retention.</summary>
    public const string Hold = "hold";

    /// <summary>The file is complete; what is added after the stated day needs a reason (PCAOB AS 1215.15 and .16).</summary>
    public const string Assembled = "assembled";

    public static ImmutableArray<string> All { get; } = [Signoff, Annotated, Verified, Exported, Superseded, Hold, Assembled];

    /// <summary>The roles of a sign-off.</summary>
    public const string Preparer = "preparer";
    public const string Reviewer = "reviewer";

    public static ImmutableArray<string> Roles { get; } = [Preparer, Reviewer];
}
