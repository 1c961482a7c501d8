using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Text;
using AuditCli.Lookup;
using AuditCli.Reports;

namespace AuditCli.Commands;

/// <summary><c>auditcli query BUNDLE [SQL]</c>: executes a SELECT on the evidence and results of a bundle.</summary>
internal static partial class QueryCommand
{
    private const int LongestLine = 8000;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle's folder, or a .zip or .tar with it." };
        var sql = new Argument<string?>("SQL")
        {
            Description = "One SELECT, in DuckDB's SQL. Without it: every table with its columns.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var form = CommandOptions.Text(host, "--format", "text|csv|json|parquet", "How the result is written.", "text");
        form.AcceptOnlyFromAmong("text", "csv", "json", "parquet");
        var file = new Option<string?>("--out")
        {
            Description = "Write the result to this file, which must not exist yet. Required for Parquet.",
            HelpName = "FILE",
        };
        var command = new DetailedCommand("query", "Query a bundle in SQL: the tables of its controls, its results, and its index of evidence.", $"""
            Tables are "<CONTROL>".<evidence>, over all accounts and regions; results.controls, .tests, .items, .limitations,
            .parameters and, with what people said in a concluded bundle, .answers and .dispositions (exception_id joins the
            latter with results.items); evidence.items and .exchanges. A row's _ref leads to its exchange: auditcli show
            BUNDLE _REF. Only the tables that the SQL names are read, each compared with its digest in the bundle. The name
            of a control needs its double quotes.
            The column verdict of results.items is one of {string.Join(", ", Enum.GetValues<ItemVerdict>().Select(PopulationRow.WordOf))}.

            In results.controls an item that fails in two tests is two exceptions, as on screens and in reports, and one of the
            deviations: population, deviations, approved, undetermined and indicated count items, each once over all tests of the
            control. In results.tests each counts the rows of one test in one account.

            What the SQL of every control has is there too: the table {string.Join(", ", TableNames.Always)}, the functions
            {string.Join(", ", SqlFunctions.Own)}, and the moments {string.Join(", ", ParameterNames.OfEngagement.Select(n => "$" + n))}.

            The engine is the one that evaluates controls, locked in the same way: it reads and writes no file, reaches no network,
            and stops after 5 minutes or 2 GB. In csv a text that begins like a formula has an apostrophe before it.

            Exit codes: 0 answered, 1 usage or wrong SQL, 2 a file is not the one that was sealed.

            Examples:
              auditcli query BUNDLE
              auditcli query BUNDLE 'SELECT UserName, CreateDate FROM "APD-AWS-002".users ORDER BY CreateDate'
              auditcli query BUNDLE "SELECT control, count(*) FROM results.items WHERE verdict = 'deviation' GROUP BY ALL" --format csv
              auditcli query BUNDLE 'FROM results.items' --format parquet --out items.parquet
            """)
        {
            bundle, sql, form, file,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            return BundleCommands.GuardAsync(error, () => QueryAsync(
                host, parsed.GetValue(bundle)!, parsed.GetValue(sql), parsed.GetValue(form)!, parsed.GetValue(file), output, error, cancellationToken),
                cancellationToken);
        });
        return command;
    }

    private static async Task<int> QueryAsync(
        AuditHost host, string given, string? sql, string form, string? file, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (form == "parquet" && file is null)
            return await BundleCommands.UsageAsync(error, "parquet is not text: name a file for it with --out FILE");
        if (sql is null && (form != "text" || file is not null))
            return await BundleCommands.UsageAsync(error, "--format and --out need a SELECT, and none was given");
        var path = host.FullPath(given);
        if (BundleArgument.WhyNotReadable(path) is { } noBundle)
            return await BundleCommands.UsageAsync(error, noBundle);
        if (file is not null)
            BundleCommands.RefuseInside("--out", host.FullPath(file), path);
        var opened = await OpenedBundle.OpenWholeAsync(path, host, verified: null, cancellationToken);
        return await BundleCommands.FromWhatIsHereAsync(
            opened, error, () => AnswerAsync(host, opened, given, sql, form, file, output, error, cancellationToken));
    }

    private static async Task<int> AnswerAsync(
        AuditHost host, OpenedBundle opened, string given, string? sql, string form, string? file, TextWriter output, TextWriter error,
        CancellationToken cancellationToken)
    {
        var scope = QueryTables.Of(opened);
        if (sql is null)
        {
            List(output, scope.Tables);
            return ExitCode.Ok;
        }
        try
        {
            using var answer = await BundleQuery.RunAsync(sql, scope, EvaluationLimits.Default, cancellationToken);
            if (form == "parquet")
            {
                await answer.WriteParquetAsync(
                    host.FullPath(file!),
                    [
                        new("auditcli_bundle", opened.Id),
                        new("auditcli_tagmanifest_sha256", opened.Files.TagManifestSha256!.Value.Hex),
                        new("auditcli_sql", sql),
                    ],
                    cancellationToken);
            }
            else if (file is null)
                await WriteAsync(output, form, answer, cancellationToken);
            else
            {
                await using var writer = new StreamWriter(new FileStream(host.FullPath(file), FileMode.CreateNew, FileAccess.Write), Utf8);
                await WriteAsync(writer, form, answer, cancellationToken);
            }
            if (file is not null)
                await output.WriteLineAsync($"{Wording.Count(answer.Rows, "row")} in {host.FullPath(file)}");
            return ExitCode.Ok;
        }
        catch (QueryException e)
        {
            return await BundleCommands.UsageAsync(
                error, $"the SQL cannot be run: {PrintableText.Of(e.Message, 2000)}{Hint(sql, scope)}; the tables: auditcli query {given}");
        }
    }

    /// <summary>Returns what the engine's message does not say: that files are never read, and that the name of a control needs quotes.</summary>
    private static string Hint(string sql, QueryScope scope)
    {
        if (FileFunction().IsMatch(sql))
            return "; SQL may not read files, only the bundle's tables";
        return scope.Tables.FirstOrDefault(t => t.Schema.Contains('-') && IsBare(sql, t.Schema)) is { } table
            ? $"; a name with '-' needs double quotes: {table.SqlName}"
            : "";
    }

    /// <summary>Whether a name is somewhere in the SQL without the quotes around it.</summary>
    private static bool IsBare(string sql, string name)
    {
        for (var at = 0; (at = sql.IndexOf(name, at, StringComparison.OrdinalIgnoreCase)) >= 0; at += name.Length)
        {
            if (at == 0 || sql[at - 1] is not ('"' or '\''))
                return true;
        }
        return false;
    }

    [GeneratedRegex(@"\bread_(csv|csv_auto|json|json_auto|ndjson|ndjson_auto|parquet|text|blob)\s*\(", RegexOptions.IgnoreCase)]
    private static partial Regex FileFunction();

    private static Task WriteAsync(TextWriter output, string form, BundleQuery answer, CancellationToken cancellationToken) => form switch
    {
        "csv" => AnswerText.WriteCsvAsync(output, answer, cancellationToken),
        "json" => AnswerText.WriteJsonAsync(output, answer, cancellationToken),
        _ => AnswerText.WriteTableAsync(output, answer, cancellationToken),
    };

    private static void List(TextWriter output, IEnumerable<QueryTable> tables)
    {
        foreach (var table in tables)
        {
            output.WriteLine(PrintableText.Of(
                $"{table.SqlName}{(table.Rows is { } rows ? $"  {Wording.Count(rows, "row")}" : "")}", LongestLine));
            output.WriteLine(PrintableText.Of(
                $"    {string.Join(", ", table.Columns.Select(c => $"{c.Name} {c.Type.ToString().ToLowerInvariant()}"))}", LongestLine));
        }
    }
}
