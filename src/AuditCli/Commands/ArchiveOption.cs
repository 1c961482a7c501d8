using System.CommandLine;

namespace AuditCli.Commands;

/// <summary>The option <c>--archive</c> of the commands that seal.</summary>
internal static class ArchiveOption
{
    /// <summary>Why it cannot be combined with a locker, as a message.</summary>
    public const string NotInALocker =
        "--archive and --locker exclude each other: a locker holds the folders of its bundles, by which 'verify --locker' follows their chain";

    public static Option<bool> Of(AuditHost host) => CommandOptions.Flag(
        host, "--archive", "Put the sealed bundle into BUNDLE.tar, and delete its folder once the archive was read back and compared.");
}
