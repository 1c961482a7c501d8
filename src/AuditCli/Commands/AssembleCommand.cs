using System.CommandLine;
using System.Globalization;
using AuditCli.Evidence.People;

namespace AuditCli.Commands;

/// <summary><c>auditcli assemble BUNDLE --by DATE</c>: states that the audit file with a bundle is complete.</summary>
internal static class AssembleCommand
{
    private const string Form = "yyyy-MM-dd";

    public static Command Build(AuditHost host)
    {
        var day = new Option<string?>("--by") { HelpName = "DATE", Description = "The day on which the file is complete, yyyy-MM-dd (UTC).", Required = true };
        var options = new PeopleOptions(host);
        var command = new DetailedCommand("assemble", "State that the audit file with this bundle is complete; later additions must say why.", """
            PCAOB AS 1215 gives 14 days after the report's release; nothing may be removed after that, and who adds something must say
            who, when and why. After that day, signoff and custody need --why, and 'auditcli verify' fails for a statement without it.
            Exit codes: 0 added, 2 or 3 the bundle does not verify, 1 usage or the statement does not fit the others.

            Example:
              auditcli assemble BUNDLE --by 2026-12-14 --key omar.pem --trust auditor.pem.pub
            """);
        options.AddTo(command);
        command.Options.Add(day);
        day.Validators.Add(result =>
        {
            if (Day(result.GetValueOrDefault<string>()) is null)
                result.AddError($"--by is a day as in 2026-12-14, not '{result.GetValueOrDefault<string>()}'");
        });
        command.SetAction((parsed, cancellationToken) =>
            options.AddAsync(parsed, PeopleKind.Assembled, s => s with { DueBy = Day(parsed.GetValue(day)) }, cancellationToken));
        return command;
    }

    private static DateOnly? Day(string? text) =>
        DateOnly.TryParseExact(text, Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
