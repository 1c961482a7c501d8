using System.Reflection;

namespace AuditCli.Text;

/// <summary>Reads texts that are embedded in the program, such as pages of the manual and parts of the HTML report.</summary>
internal static class EmbeddedText
{
    /// <summary>Returns the text, with the line end LF.</summary>
    /// <param name="name">The logical name of a resource of this assembly.</param>
    public static string Of(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
