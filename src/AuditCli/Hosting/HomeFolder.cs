using AuditCli.Evidence.Text;

namespace AuditCli.Hosting;

/// <summary>
/// Gives the process a home folder. Where the variable is unset or empty, some SDKs take the working folder for it, and would use
/// credentials that somebody else put there, such as the sender of an engagement.
/// </summary>
internal static class HomeFolder
{
    private const string Variable = "HOME";

    /// <summary>
    /// Sets the variable, if it is missing, to the folder that the system has for the user. Does nothing on Windows, where SDKs do not use it.
    /// </summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsWindows() && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
            Environment.SetEnvironmentVariable(Variable, HomePath.Folder);
    }
}
