using System.CommandLine;
using AuditCli.Evidence.People;

namespace AuditCli.Commands;

/// <summary><c>auditcli signoff BUNDLE --role ROLE --key KEY</c>: signs off a bundle as its preparer or its reviewer.</summary>
internal static class SignoffCommand
{
    public static Command Build(AuditHost host)
    {
        var role = new Option<string?>("--role") { HelpName = "preparer|reviewer", Description = "What the person did.", Required = true };
        role.AcceptOnlyFromAmong([.. PeopleKind.Roles]);
        var options = new PeopleOptions(host);
        var command = new DetailedCommand("signoff", "Sign off a bundle as its preparer or its reviewer, with your own key.", """
            The bundle does not change: the statement is a file in BUNDLE-ID.people beside it, signed, about exactly these bytes,
            and naming the statement before it. One person, and one key, is never preparer and reviewer. The bundle is verified
            first, so give --trust, or --allow-unsigned. 'auditcli verify' lists what people stated; 'auditcli custody' adds the
            rest: remarks and replies, copies handed over, holds.

            Whose key it is, the engagement says before the run: team: [{ name, role, key }], with the fingerprint that
            'auditcli keys show' prints. A key that is not there is undecided, unless the verifier gives it to --trust-people.

            Exit codes: 0 added, 2 or 3 the bundle does not verify, 1 usage or the statement does not fit the others.

            Examples:
              auditcli signoff BUNDLE --role preparer --key lena.pem --trust auditor.pem.pub
              auditcli signoff BUNDLE --role reviewer --key omar.pem --note review.txt --about APD-AWS-001 --trust auditor.pem.pub
            """);
        options.AddTo(command);
        command.Options.Add(role);
        command.SetAction((parsed, cancellationToken) =>
            options.AddAsync(parsed, PeopleKind.Signoff, s => s with { Role = parsed.GetValue(role) }, cancellationToken));
        return command;
    }
}
