using System.IO.Enumeration;

namespace AuditCli.Controls.Loading;

/// <summary>
/// A control's ID, or a pattern over IDs in which <c>*</c> is any letters and <c>?</c> one letter. Case matters.
/// </summary>
public static class IdGlob
{
    /// <summary>Whether the text is a pattern, not the ID of one control.</summary>
    public static bool IsGlob(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.AsSpan().ContainsAny('*', '?');
    }

    public static bool Matches(string idOrGlob, string id)
    {
        ArgumentNullException.ThrowIfNull(idOrGlob);
        // A backslash would be an escape in the matcher, and occurs in no ID.
        return !idOrGlob.Contains('\\') && FileSystemName.MatchesSimpleExpression(idOrGlob, id, ignoreCase: false);
    }
}
