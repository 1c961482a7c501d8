using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>A column of a query's result, with its SQL type as DuckDB names it.</summary>
public sealed record AnswerColumn(string Name, string Type)
{
    /// <summary>Whether it holds free text, which other programs might interpret as a formula.</summary>
    public bool IsText => ValueForm.IsWords(Type);
}

/// <summary>
/// The result of a user's SELECT over a bundle, complete and in the order of its ORDER BY. It comes from the engine that
/// evaluates controls, locked in the same way: no files, no network, no settings, and memory and time within the limits.
/// </summary>
public sealed class BundleQuery : IDisposable
{
    private const string Answer = "main._answer";
    private readonly LockedDatabase _database;

    private BundleQuery(LockedDatabase database, ImmutableArray<AnswerColumn> columns, long rows) => (_database, Columns, Rows) = (database, columns, rows);

    public ImmutableArray<AnswerColumn> Columns { get; }
    public long Rows { get; }

    /// <summary>Loads the tables that the SQL names, with all their columns, and runs the SQL.</summary>
    /// <exception cref="QueryException">The SQL is wrong or exceeds the limits.</exception>
    /// <exception cref="InvalidDataException">A table does not match the bundle's index.</exception>
    public static async Task<BundleQuery> RunAsync(string sql, QueryScope scope, EvaluationLimits limits, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(limits.TestTime);
        var database = LockedDatabase.Open(limits.Memory);
        try
        {
            database.Define(SqlFunctions.Own);
            var number = 0;
            var named = QueryNames.In(sql, scope.Tables, database);
            foreach (var table in named.Tables)
                await LoadAsync(database, string.Create(CultureInfo.InvariantCulture, $"_table_{number++}"), table, limited.Token);
            var parameters = new SqlParameters(scope.Moment, readFrom: null, readUntil: null, []);
            await database.ExecuteAsync($"CREATE TABLE {Answer} AS\n{SqlText.Inner(sql, parameters)}", parameters.For(named.Parameters), limited.Token);
            var columns = await database.DescribeAsync(Answer, [], limited.Token);
            var rows = (await database.QueryAsync($"SELECT count(*) FROM {Answer}", [], r => r.GetInt64(0), limited.Token)).Single();
            return new(database, [.. columns.Select(c => new AnswerColumn(c.Name, c.Type))], rows);
        }
        catch (Exception e)
        {
            database.Dispose();
            if (!cancellationToken.IsCancellationRequested && limited.IsCancellationRequested && e is DuckDBException or OperationCanceledException)
                throw new QueryException(string.Create(CultureInfo.InvariantCulture, $"stopped after {limits.TestTime.TotalSeconds:0} s, the time limit"), e);
            cancellationToken.ThrowIfCancellationRequested();
            throw e switch
            {
                DuckDBException fault => new QueryException(Faults.FirstLine(fault), fault),
                TimeZoneNotFoundException or InvalidTimeZoneException => new QueryException(
                    $"this machine does not know the time zone '{scope.Moment.TimeZone}' of the bundle's period; install its time zone data", e),
                EvidenceFormatException => new InvalidDataException(e.Message, e),
                _ => e,
            };
        }
    }

    /// <summary>
    /// Returns every row as one JSON object without white space, in order; a line is valid until the next one is read.
    /// </summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var forms = Columns.Select(c => (
            Name: JsonEncodedText.Encode(c.Name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping),
            Form: ValueForm.Of(c.Type),
            Column: SqlQuote.Name(c.Name))).ToArray();
        using var command = _database.Command($"SELECT {string.Join(", ", forms.Select(f => f.Form.Sql(f.Column)))} FROM {Answer} ORDER BY rowid", []);
        command.UseStreamingMode = true;
        using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var line = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        while (await reader.ReadAsync(cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            line.ResetWrittenCount();
            json.Reset(line);
            json.WriteStartObject();
            for (var i = 0; i < forms.Length; i++)
            {
                json.WritePropertyName(forms[i].Name);
                forms[i].Form.Write(json, reader, i);
            }
            json.WriteEndObject();
            json.Flush();
            yield return line.WrittenMemory;
        }
    }

    /// <summary>
    /// Writes the result as a Parquet file. The locked engine cannot write files; a separate engine does it, which receives
    /// finished rows and none of the user's SQL. Types without a plain Parquet type (lists, structs, intervals) are written as
    /// text.
    /// </summary>
    /// <param name="path">The full path of a file that does not exist.</param>
    /// <param name="origin">Names and values stored in the file's own metadata.</param>
    /// <exception cref="IOException">The file already exists, or cannot be written.</exception>
    public async Task WriteParquetAsync(string path, IEnumerable<KeyValuePair<string, string>> origin, CancellationToken cancellationToken)
    {
        if (Path.Exists(path))
            throw new IOException($"{path} is there already");
        var partial = path + ".partial";
        try
        {
            await using var writer = new DuckDBConnection("DataSource=:memory:;threads=1;autoload_known_extensions=false;autoinstall_known_extensions=false");
            await writer.OpenAsync(cancellationToken);
            Run(writer, "SET TimeZone='UTC'");
            Run(writer, $"CREATE TABLE answer ({string.Join(", ", Columns.Select(c => $"{SqlQuote.Name(c.Name)} VARCHAR"))})");
            await CopyAsync(writer, cancellationToken);
            var typed = string.Join(", ", Columns.Select(c => $"{FromText(c)} AS {SqlQuote.Name(c.Name)}"));
            var metadata = string.Join(", ", origin.Select(o => $"{SqlQuote.Name(o.Key)}: {SqlQuote.Text(o.Value)}"));
            Run(writer, $"COPY (SELECT {typed} FROM answer ORDER BY rowid) TO {SqlQuote.Text(partial)} (FORMAT parquet, KV_METADATA {{{metadata}}})");
            File.Move(partial, path);
        }
        catch (DuckDBException e)
        {
            throw new IOException($"{path}: {Faults.FirstLine(e)}", e);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    public void Dispose() => _database.Dispose();

    private async Task CopyAsync(DuckDBConnection writer, CancellationToken cancellationToken)
    {
        using var command = _database.Command($"SELECT {string.Join(", ", Columns.Select(ToText))} FROM {Answer} ORDER BY rowid", []);
        command.UseStreamingMode = true;
        using var reader = await command.ExecuteReaderAsync(cancellationToken);
        using var appender = writer.CreateAppender("answer");
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = appender.CreateRow();
            for (var i = 0; i < Columns.Length; i++)
                row = reader.IsDBNull(i) ? row.AppendNullValue() : row.AppendValue(reader.GetString(i));
            row.EndRow();
        }
    }

    private static string ToText(AnswerColumn column) => string.Format(
        CultureInfo.InvariantCulture,
        column.Type == "BLOB" ? "base64({0})" : ValueForm.IsNested(column.Type) ? "CAST(to_json({0}) AS VARCHAR)" : "CAST({0} AS VARCHAR)",
        SqlQuote.Name(column.Name));

    private static string FromText(AnswerColumn column)
    {
        var name = SqlQuote.Name(column.Name);
        return column.Type == "BLOB" ? $"from_base64({name})" : IsPlain(column.Type) ? $"CAST({name} AS {column.Type})" : name;
    }

    private static bool IsPlain(string type) => type is "BOOLEAN" or "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "UTINYINT" or "USMALLINT"
        or "UINTEGER" or "UBIGINT" or "FLOAT" or "DOUBLE" or "DATE" or "TIME" or "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE" or "UUID"
        || (type.StartsWith("DECIMAL(", StringComparison.Ordinal) && !type.EndsWith(']'));

    private static void Run(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task LoadAsync(LockedDatabase database, string name, QueryTable table, CancellationToken cancellationToken)
    {
        database.Execute(TableLoader.Definition(name, table.Columns));
        await TableLoader.LoadAsync(database, name, table.Columns, table.OpenRows.Select(open => open()), _ => true, cancellationToken);
        var schema = table.Schema.Length == 0 ? "main" : table.Schema;
        database.Execute($"CREATE SCHEMA IF NOT EXISTS {SqlQuote.Name(schema)}");
        database.Execute($"CREATE VIEW {SqlQuote.Name(schema)}.{SqlQuote.Name(table.Name)} AS SELECT * FROM main.{SqlQuote.Name(name)}");
    }
}
