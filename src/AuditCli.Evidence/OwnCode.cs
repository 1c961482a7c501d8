namespace AuditCli.Evidence;

/// <summary>What sort of thing a code of the program's own reports; it decides who can do something about it.</summary>
public enum CodeKind
{
    /// <summary>Credentials are missing, or were refused.</summary>
    Denied,

    /// <summary>The provider was asked too often.</summary>
    Throttled,

    /// <summary>No usable response came from the server that was asked.</summary>
    Unreachable,

    /// <summary>A response came, and is not of the form, or not about the thing, that was asked for.</summary>
    Malformed,

    /// <summary>AuditCli itself did not send the request, or did not take the response.</summary>
    Refused,

    /// <summary>The engagement, a control, a setting or a supplied file must be corrected.</summary>
    Input,

    /// <summary>The provider says that what was asked for does not exist there.</summary>
    Absent,

    /// <summary>Some of what was asked for was not read.</summary>
    Incomplete,

    /// <summary>Everything that was there was read, and does not show that it is whole and unaltered.</summary>
    Unproven,

    /// <summary>The time at which a state was read is uncertain, or is not the engagement's.</summary>
    Moment,

    /// <summary>The engagement or the command line left it out.</summary>
    Excluded,

    /// <summary>The program failed.</summary>
    Fault,
}

/// <summary>
/// A code that the program itself gives to a failure or limitation, as opposed to a provider's. Its spelling is in sealed bundles and in
/// controls, so it is never changed.
/// </summary>
/// <param name="Code">The code, or what stands before the HTTP status if <see cref="HasStatus"/>.</param>
/// <param name="Meaning">What happened, as one sentence that an auditor understands.</param>
/// <param name="Next">What the reader can do next, as one sentence.</param>
public sealed record OwnCode(string Code, CodeKind Kind, string Meaning, string Next)
{
    /// <summary>Whether the three digits of an HTTP status follow.</summary>
    public bool HasStatus { get; init; }

    /// <summary>The code as the manual prints it: <c>nnn</c> stands for an HTTP status.</summary>
    public string Shown => HasStatus ? Code + "nnn" : Code;
}
