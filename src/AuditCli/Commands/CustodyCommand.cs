using System.CommandLine;
using AuditCli.Evidence.People;

namespace AuditCli.Commands;

/// <summary><c>auditcli custody EVENT BUNDLE</c>: adds an event to the record of who had a bundle and what they did with it.</summary>
internal static class CustodyCommand
{
    public static Command Build(AuditHost host) => new("custody", "Record what happened to a bundle: verified, handed over, remarked, replaced, held.")
    {
        Event(host, PeopleKind.Verified, "State that you verified the bundle, and that it held.", to: null),
        Event(host, PeopleKind.Exported, "State that you handed a copy over.", "To whom the copy went."),
        Event(host, PeopleKind.Annotated, "Remark something, or reply to a remark.", to: null),
        Event(host, PeopleKind.Superseded, "State that another bundle takes this one's place.", "The bundle id that takes its place."),
        Event(host, PeopleKind.Hold, "State that the bundle is kept beyond its retention, and why.", to: null),
    };

    private static DetailedCommand Event(AuditHost host, string kind, string description, string? to)
    {
        var options = new PeopleOptions(host);
        var recipient = new Option<string?>("--to") { HelpName = "TEXT", Description = to ?? "", Required = true };
        var command = new DetailedCommand(kind, description, $"""
            The statement is signed with your own key and added beside the bundle; see 'auditcli signoff --help'.
            Exit codes: 0 added, 2 or 3 the bundle does not verify, 1 usage or the statement does not fit the others.

            Example:
              auditcli custody {kind} BUNDLE --key lena.pem --trust auditor.pem.pub{(to is null ? "" : " --to \"Example Audit LLP, K. Ames\"")}
            """);
        options.AddTo(command);
        if (to is not null)
            command.Options.Add(recipient);
        command.SetAction((parsed, cancellationToken) =>
            options.AddAsync(parsed, kind, s => to is null ? s : s with { To = parsed.GetValue(recipient) }, cancellationToken));
        return command;
    }
}
