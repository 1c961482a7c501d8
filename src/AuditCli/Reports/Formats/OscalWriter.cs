using System.Text.Json;
using AuditCli.Text;

namespace AuditCli.Reports.Formats;

/// <summary>Writes the parts that OSCAL objects share: identifiers, properties, and lines of untrusted text.</summary>
internal sealed class OscalWriter(Utf8JsonWriter json, string bundle)
{
    private const string Space = "urn:auditcli:oscal";
    private const int TextShown = 4000;

    public Utf8JsonWriter Json => json;

    /// <summary>The bundle id.</summary>
    public string Bundle => bundle;

    /// <summary>Returns the same identifier whenever the names and the bundle are the same.</summary>
    public string Uuid(params string[] names) => NameUuid.Of([bundle, .. names]);

    public void Party(string type, string name)
    {
        json.WriteStartObject();
        json.WriteString("uuid", Uuid(type, name));
        json.WriteString("type", type);
        json.WriteString("name", Plain(name));
        json.WriteEndObject();
    }

    /// <summary>Writes a property.</summary>
    /// <param name="standard">Whether the name is defined by NIST; other names get this program's namespace.</param>
    public void Property(string name, string value, bool standard = false)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        if (!standard)
            json.WriteString("ns", Space);
        json.WriteString("value", Plain(value));
        json.WriteEndObject();
    }

    public void Line(string name, string value) => json.WriteString(name, Markup(value));

    public void Lines(string name, IEnumerable<string> values) => json.WriteString(name, string.Join("\n\n", values.Select(Markup)));

    /// <summary>
    /// Returns a value as an OSCAL token: letters, digits, full stops, hyphens and underscores, beginning with a letter or an underscore.
    /// </summary>
    public static string Token(string value)
    {
        var plain = string.Concat(value.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return plain.Length > 0 && (char.IsAsciiLetter(plain[0]) || plain[0] == '_') ? plain : "_" + plain;
    }

    private static string Markup(string value) => Markdown.Escape(value, TextShown).Trim() is { Length: > 0 } text ? text : "none";

    private static string Plain(string value) => Terminal.Line(value, TextShown).Trim() is { Length: > 0 } text ? text : "none";
}
