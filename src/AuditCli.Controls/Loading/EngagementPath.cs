using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Loading;

/// <summary>Resolves paths in an engagement file, relative to the folder of that file.</summary>
internal static class EngagementPath
{
    /// <summary>
    /// Returns the full path of an existing file inside the engagement's folder; null with a fault otherwise. Engagements are
    /// passed between people, so neither a path nor a link may lead outside the folder.
    /// </summary>
    public static string? InsideFile(YamlNode node, string written, string folder, FaultList faults)
    {
        if (Path.IsPathRooted(written) || written.Contains('\\') || written.Contains(':'))
            return Refuse($"'{written}' must be a path from the engagement's folder, with '/' between its parts");
        var full = Path.GetFullPath(Path.Combine(folder, written));
        var inside = Path.GetRelativePath(folder, full);
        if (inside is "." or ".." || inside.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            return Refuse($"'{written}' leaves the engagement's folder; put the file inside it");
        try
        {
            var part = folder;
            foreach (var name in inside.Split(Path.DirectorySeparatorChar))
            {
                part = Path.Combine(part, name);
                if (new FileInfo(part).LinkTarget is not null)
                {
                    var link = Path.GetRelativePath(folder, part);
                    return Refuse($"'{written}' goes through the link '{link}'; put the file itself into the engagement's folder");
                }
            }
            if (Directory.Exists(full))
                return Refuse($"'{written}' is a folder, not a file");
            if (RegularFile.WhyNot(full) is { } special)
                return Refuse($"'{written}' {special}");
            return File.Exists(full) ? full : Refuse($"the file '{written}' does not exist in the engagement's folder");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse($"'{written}' cannot be read: {e.Message}");
        }

        string? Refuse(string message)
        {
            faults.Meaning(node.Position, message);
            return null;
        }
    }

    /// <summary>
    /// Returns the full path of a credentials file; null with a fault where it is needed and missing. It may be anywhere, since
    /// it belongs to the person who runs the engagement and not to the engagement.
    /// </summary>
    public static string? CredentialsFile(YamlNode node, string written, string folder, bool needed, FaultList faults)
    {
        var full = Path.GetFullPath(Path.Combine(folder, HomePath.Expanded(written)));
        var special = needed ? RegularFile.WhyNot(full) : null;
        if (!needed || special is null && File.Exists(full))
            return full;
        faults.Meaning(node.Position, special is not null
            ? $"'{written}' {special}"
            : Directory.Exists(full)
            ? $"'{written}' is a folder, not a file"
            : $"the file '{written}' does not exist (looked for at {full})");
        return null;
    }

    /// <summary>Returns the full path of an existing folder, anywhere; null with a fault otherwise.</summary>
    public static string? Folder(YamlNode node, string written, string folder, FaultList faults)
    {
        var full = Path.GetFullPath(Path.Combine(folder, written));
        if (Directory.Exists(full))
            return full;
        faults.Meaning(node.Position, $"the folder '{written}' does not exist (looked for from the engagement's folder)");
        return null;
    }
}
