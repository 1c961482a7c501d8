using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Text;
using AuditCli.Lookup;

namespace AuditCli.Commands;

/// <summary><c>auditcli show BUNDLE ...</c>: shows a control, test, item or reference of a bundle, down to the raw exchange.</summary>
internal static class ShowCommand
{
    private const int MostItems = 20;

    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle's folder, or a .zip or .tar with it." };
        var what = new Argument<string[]>("WHAT")
        {
            Description = "A control; a control, a test and an item; an exception id; an evidence id; or a row's _ref. Without one: all controls.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var html = CommandOptions.Text(host, "--html", "FILE", "Write a one-page evidence card of the item or exchange; the file must not exist yet.");
        var raw = CommandOptions.Flag(host, "--raw", "Print the response body of an exchange, byte for byte, and nothing else.");
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand(
            "show", "Look something up in a bundle: a control, its items, their evidence, and the raw request and response.", """
            Everything shown is compared with the bundle's manifest as it is read; 'auditcli verify' says who sealed it. Output is
            bounded, and control characters are shown as \uXXXX; --raw is for a file or a pipe. --output json has whole
            populations and bodies, in one object.

            An item's rows are found by value: in the tables that the test's SQL names, for the item's account, the rows in
            which a cell is the item, is a part of it between spaces and slashes, or is one of the attributes shown. The raw
            evidence is named as in every report: the provider's response with the tested value first, then registers.

            Controls and items may be given in any case, an item by its last part, and an exception by its first four digits or
            more, if that names only one.

            Exit codes: 0 shown, 1 usage or no such name, 2 a file is not the one that was sealed.

            Examples:
              auditcli show BUNDLE
              auditcli show BUNDLE APD-AWS-002
              auditcli show BUNDLE APD-AWS-002 T1 arn:aws:iam::111122223333:user/alice
              auditcli show BUNDLE APD-AWS-002/X/14d554cfb5bd --html card.html
              auditcli show BUNDLE urn:uuid:35d96ad9-b2f9-8040-af7b-a90fa29782d0 --raw > answer.xml
            """)
        {
            bundle, what, html, raw, form,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            return BundleCommands.GuardAsync(
                error,
                () => ShowAsync(
                    host,
                    parsed.GetValue(bundle)!,
                    [.. parsed.GetValue(what) ?? []],
                    parsed.GetValue(html),
                    parsed.GetValue(raw),
                    parsed.GetValue(form) == "json",
                    output,
                    error,
                    cancellationToken),
                cancellationToken);
        });
        return command;
    }

    private static async Task<int> ShowAsync(
        AuditHost host, string given, ImmutableArray<string> words, string? html, bool raw, bool json,
        TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (new[] { html is not null, raw, json }.Count(form => form) > 1)
            return await BundleCommands.UsageAsync(error, "--html, --raw and --output json exclude each other; give one of them");
        var path = host.FullPath(given);
        if (BundleArgument.WhyNotReadable(path) is { } noBundle)
            return await BundleCommands.UsageAsync(error, noBundle);
        var (selection, wrong) = ((Selection?)null, (string?)null);
        var opened = await OpenedBundle.OpenForAsync(
            path, host, verified: null,
            o =>
            {
                (selection, wrong) = Selection.Of(o, words);
                return Shown(o, selection).Select(c => c.Id).ToImmutableHashSet(StringComparer.Ordinal);
            },
            cancellationToken);
        if (selection is null)
            return await BundleCommands.UsageAsync(error, wrong!);
        return await BundleCommands.FromWhatIsHereAsync(
            opened, error, () => AnswerAsync(host, opened, given, selection, html, raw, json, output, error, cancellationToken));
    }

    private static async Task<int> AnswerAsync(
        AuditHost host, OpenedBundle opened, string given, Selection selection, string? html, bool raw, bool json,
        TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        await opened.RequireRowsAsync(Shown(opened, selection), host, cancellationToken);
        if (raw)
            return await RawAsync(host, opened, selection, error, cancellationToken);
        if (html is not null)
            return await CardAsync(host, opened, selection, html, output, error, cancellationToken);
        FoundExchange? exchange = null;
        if (selection is Selection.OfExchange(var named, _) && (exchange = FoundExchange.Of(opened, named, [], cancellationToken)) is null)
            return await BundleCommands.UsageAsync(error, $"the bundle has no exchange {named}");
        if (json)
        {
            using var writer = new ShowJson(output, opened, host);
            writer.Write(selection, exchange, MostItems, cancellationToken);
            return ExitCode.Ok;
        }
        var text = new ShowText(output, opened, given);
        text.Head();
        switch (selection)
        {
            case Selection.Everything:
                text.Controls(c => opened.ControlOf(c, host.Sources));
                break;
            case Selection.OfControl(var control):
                text.Control(control, opened.ControlOf(control, host.Sources));
                break;
            case Selection.OfTest(var control, var test):
                text.Test(control, test, opened.ControlOf(control, host.Sources));
                break;
            case Selection.OfItems(var control, var rows):
                foreach (var row in rows.Take(MostItems))
                    text.Item(ItemView.Of(opened, host, control, row, cancellationToken));
                text.More(rows.Length - MostItems, "items of that name, in other tests or accounts");
                break;
            case Selection.OfEvidence(var items):
                foreach (var item in items)
                    text.Evidence(item);
                break;
            case Selection.OfInput(var file, var row):
                text.Input(file, InputRow(opened, file, row));
                break;
            case Selection.OfExchange(_, var pointer):
                text.Exchange(exchange!);
                text.Messages(exchange!, pointer);
                break;
        }
        return ExitCode.Ok;
    }

    /// <summary>Returns the controls whose conclusions or rows are printed.</summary>
    private static ImmutableArray<ControlResult> Shown(OpenedBundle opened, Selection? selection) => selection switch
    {
        Selection.Everything => opened.Results.Controls,
        Selection.OfControl(var control) => [control],
        Selection.OfTest(var control, _) => [control],
        Selection.OfItems(var control, _) => [control],
        _ => [],
    };

    private static async Task<int> RawAsync(AuditHost host, OpenedBundle opened, Selection selection, TextWriter error, CancellationToken cancellationToken)
    {
        if (selection is not (Selection.OfExchange or Selection.OfInput))
            return await BundleCommands.UsageAsync(error, "--raw needs an exchange: its urn:uuid:..., or a row's _ref");
        if (host.OutputIsTerminal)
            return await BundleCommands.UsageAsync(error, "--raw prints unescaped bytes, which could control your terminal: send it to a file or a pipe");
        ReadOnlyMemory<byte> body;
        if (selection is Selection.OfInput(var file, _))
            body = opened.Files.Read(file);
        else if (selection is Selection.OfExchange(var record, _) && FoundExchange.Of(opened, record, [], cancellationToken) is { } found)
        {
            if (found.Recorded.Exchange.Response is not { } response)
            {
                var failures = string.Join("; ", found.Recorded.Exchange.Failure.Select(f => PrintableText.Of(f.Message, 500)));
                return await BundleCommands.UsageAsync(error, $"{record} has no response: {failures}");
            }
            body = response.Body;
        }
        else
            return await BundleCommands.UsageAsync(error, "the bundle has no such exchange");
        await using var stream = host.OpenOutput();
        await stream.WriteAsync(body, cancellationToken);
        return ExitCode.Ok;
    }

    private static async Task<int> CardAsync(
        AuditHost host, OpenedBundle opened, Selection selection, string html, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        string? page = null;
        if (selection is Selection.OfItems(var control, var rows))
        {
            if (rows.Length > 1)
            {
                var tests = string.Join(", ", rows.Take(5).Select(r => $"{r.Test} in {r.Place}"));
                return await BundleCommands.UsageAsync(
                    error, $"several items have this name, and a card shows only one; give its exception id or its test: {tests}");
            }
            page = EvidenceCard.Of(opened, host, ItemView.Of(opened, host, control, rows[0], cancellationToken));
        }
        else if (selection is Selection.OfExchange(var record, var pointer) && FoundExchange.Of(opened, record, [], cancellationToken) is { } found)
            page = EvidenceCard.Of(opened, host, found, pointer);
        if (page is null)
            return await BundleCommands.UsageAsync(error, "--html needs one item or one exchange of the bundle");
        var path = host.FullPath(html);
        BundleCommands.RefuseInside("--html", path, opened.Files.Path);
        await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
            await file.WriteAsync(Encoding.UTF8.GetBytes(page), cancellationToken);
        await output.WriteLineAsync($"evidence card {path}");
        return ExitCode.Ok;
    }

    /// <summary>Returns a supplied file as it is or, for one record, the names and values of its columns.</summary>
    private static ShownBody InputRow(OpenedBundle opened, string file, long? row) => row is { } number
        ? ShownBody.Of(
            Encoding.UTF8.GetBytes(string.Join('\n', opened.InputRow(file, number).Select(v => $"{v.Name}: {v.Value.ReplaceLineEndings(" ")}"))), [])
        : ShownBody.Of(opened.Files.Read(file), []);
}
