using System.IO.Enumeration;
using AuditCli.Controls.Yaml;

namespace AuditCli.Controls.Loading;

/// <summary>
/// A control's ID, or a pattern over IDs in which <c>*</c> is any letters and <c>?</c> one letter. Case matters.
/// </summary>
public static class IdGlob
{
    /// <summary>Whether the text has the form of a control's ID.</summary>
    public static bool IsId(string text) => TextForm.ControlId.Pattern.IsMatch(text);

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
