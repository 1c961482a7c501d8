using System.Collections.Immutable;

namespace AuditCli.Collectors.Rest;

/// <summary>What proves who asks.</summary>
/// <param name="Header">The value of the Authorization header.</param>
/// <param name="Secrets">What it was made from or obtained with; a response that repeats one of these is stored without it.</param>
internal sealed record RestAuthorization(string Header, ImmutableArray<string> Secrets)
{
    /// <summary>Returns why a credential cannot be sent in a header; null if it can. A line end would add a header, or a request.</summary>
    public static string? WhyNot(string credential) => credential.Length == 0 ? "is empty"
        : credential.All(c => c is > ' ' and < '\u007f') ? null
        : "has blanks or characters that a header cannot carry; a line end may have been copied with it";
}
