using System.IO.Enumeration;

namespace AuditCli.Controls;

/// <summary>A control's id, or a pattern over ids in which <c>*</c> is any letters and <c>?</c> one letter. Case matters.</summary>
public static class IdGlob
{
    /// <summary>Whether the text is a pattern, not the id of one control.</summary>
    public static bool IsGlob(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.AsSpan().ContainsAny('*', '?');
    }

    public static bool Matches(string idOrGlob, string id)
    {
        ArgumentNullException.ThrowIfNull(idOrGlob);
        // A backslash would escape in the matcher, and stands in no id.
        return !idOrGlob.Contains('\\') && FileSystemName.MatchesSimpleExpression(idOrGlob, id, ignoreCase: false);
    }
}
