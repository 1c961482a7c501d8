using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Collectors.Files;

/// <summary>
/// The rows of a Parquet file. An engine of its own reads it, which can open this one file and nothing else; the engine that runs controls can
/// open no file at all.
/// </summary>
internal sealed class ParquetInput : InputFile
{
    private const string Replace = "replaced";
    private const string WithZone = "TIMESTAMP WITH TIME ZONE";
    private readonly string _query;
    private readonly string _shown;
    private readonly ImmutableArray<string?> _faults;

    /// <param name="faults">For each column why none of its values can be read; null where they can.</param>
    private ParquetInput(DuckDBConnection connection, string query, string shown, ImmutableArray<string?> faults) =>
        (Connection, _query, _shown, _faults) = (connection, query, shown, faults);

    public override IEnumerable<string> Remarks => [];

    /// <summary>The engine, which can open nothing but the file.</summary>
    internal DuckDBConnection Connection { get; }

    /// <exception cref="InvalidDataException">The file is not Parquet, or a column is not in it or is not a scalar.</exception>
    public static ParquetInput Open(string path, string shown, ImmutableArray<Column> columns)
    {
        var connection = Connect(path, shown);
        try
        {
            var found = Columns(connection, path, shown);
            InputTable.FieldsOf(shown, [.. found.Select(f => f.Name)], columns);
            var types = found.ToDictionary(f => f.Name, f => f.Type, StringComparer.Ordinal);
            if (columns.FirstOrDefault(c => IsNested(types[c.Name])) is { } nested)
            {
                throw new InvalidDataException(
                    $"{shown}: column '{nested.Name}' is nested ({types[nested.Name]}), and a column holds one value; supply it as columns of its own");
            }
            var cells = string.Join(", ", columns.Select(c => Text(SqlQuote.Name(c.Name), types[c.Name])).DefaultIfEmpty("''"));
            return new(connection, $"SELECT {cells} FROM {Table(path)}", shown, [.. columns.Select(c => Fault(types[c.Name], c))]);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Yields the texts of every column, with its name, to search them for credentials.</summary>
    /// <exception cref="InvalidDataException">The file is not Parquet.</exception>
    public static IEnumerable<(long Row, string Column, string Text)> Texts(string path, string shown)
    {
        using var connection = Connect(path, shown);
        var names = Columns(connection, path, shown).Select(c => c.Name).ToArray();
        var cells = string.Join(", ", names.Select(n => $"CAST({SqlQuote.Name(n)} AS VARCHAR)"));
        foreach (var (number, row) in Rows(connection, $"SELECT {cells} FROM {Table(path)}", names.Length, shown))
        {
            for (var i = 0; i < names.Length; i++)
            {
                if (row[i] is { } text)
                    yield return (number, names[i], text);
            }
        }
    }

    /// <summary>
    /// Copies a file with what <paramref name="replaced"/> returns in the place of each value of some columns, as text. Where it changes
    /// nothing the copy is equal to the file, whichever engine wrote it.
    /// </summary>
    /// <param name="target">The full path of a file that does not exist.</param>
    /// <exception cref="InvalidDataException">The file is not Parquet, or a column is not in it or is not a scalar.</exception>
    public static void Copy(string path, string shown, string target, ImmutableSortedSet<string> columns, Func<string, string> replaced)
    {
        (string Name, string Type)[] personal;
        using (var input = Open(path, shown, [.. columns.Select(c => new Column(c, ColumnType.Text))]))
        {
            personal = [.. Columns(input.Connection, path, shown).Where(f => columns.Contains(f.Name))];
            var texts = string.Join(", ", personal.Select(f => Text(SqlQuote.Name(f.Name), f.Type)));
            var values = Rows(input.Connection, $"SELECT {texts} FROM {Table(path)}", personal.Length, shown).SelectMany(r => r.Row);
            if (values.All(v => v is null || replaced(v) == v))
            {
                File.Copy(path, target);
                return;
            }
        }
        using var connection = Connect(path, shown, target);
        Register(connection, replaced);
        using var command = connection.CreateCommand();
        var changed = personal.Select(f => $"{Replace}({Text(SqlQuote.Name(f.Name), f.Type)}) AS {SqlQuote.Name(f.Name)}");
        command.CommandText =
            $"COPY (SELECT * REPLACE ({string.Join(", ", changed)}) FROM {Table(path)}) TO {SqlQuote.Text(target)} (FORMAT parquet, USE_TMP_FILE false)";
        Guarded(command.ExecuteNonQuery, shown);
    }

    public override IEnumerable<InputRecord> Records() => Rows(Connection, _query, _faults.Length, _shown)
        .Select(r => new InputRecord(r.Number, r.Number, [.. r.Row.Zip(_faults, (text, fault) => text is null ? default : Cell(text, fault))]));

    protected override void Dispose(bool disposing) => Connection.Dispose();

    private static InputCell Cell(string text, string? fault) => fault is null ? new(text) : new(null, fault);

    /// <summary>Returns the expression that gives a column's values in the spelling of CSV.</summary>
    private static string Text(string column, string type) => type == WithZone
        ? $"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
        : $"CAST({column} AS VARCHAR)";

    /// <summary>Returns why no value of a type can be read into a column, as the end of a sentence; null if they can.</summary>
    private static string? Fault(string type, Column column) => type switch
    {
        "FLOAT" or "DOUBLE" when column.IsExact =>
            $"is a {type.ToLowerInvariant()}, which rounds; supply it as a decimal, a whole number or a text",
        "VARCHAR" or "BOOLEAN" or "DATE" or "FLOAT" or "DOUBLE" or "UUID" or WithZone => null,
        _ when type.EndsWith("INT", StringComparison.Ordinal) || type.EndsWith("INTEGER", StringComparison.Ordinal)
            || type.StartsWith("DECIMAL", StringComparison.Ordinal) || type.StartsWith("ENUM", StringComparison.Ordinal) => null,
        _ when type.StartsWith("TIMESTAMP", StringComparison.Ordinal) => "is a time without a time zone",
        _ => $"is a {type.ToLowerInvariant()}, which inputs do not have",
    };

    private static bool IsNested(string type) => type.EndsWith(']') || type.StartsWith("STRUCT", StringComparison.Ordinal)
        || type.StartsWith("MAP", StringComparison.Ordinal) || type.StartsWith("UNION", StringComparison.Ordinal);

    /// <param name="target">The file that may be written; null for none.</param>
    private static DuckDBConnection Connect(string path, string shown, string? target = null)
    {
        // The engine takes these for a pattern that may match other files, and has no way to write them as themselves.
        if (path.AsSpan().ContainsAny("*?[]"))
            throw new InvalidDataException($"{shown}: a Parquet file cannot be read from a path with one of * ? [ ]: {path}");
        var connection = new DuckDBConnection(
            "DataSource=:memory:;threads=1;memory_limit=1GB;autoload_known_extensions=false;autoinstall_known_extensions=false");
        try
        {
            connection.Open();
            foreach (var setting in (string[])
                [
                    "TimeZone='UTC'", "temp_directory=''", "preserve_insertion_order=true",
                    $"allowed_paths=[{SqlQuote.Text(path)}{(target is null ? "" : ", " + SqlQuote.Text(target))}]",
                    "enable_external_access=false",
                    "allow_community_extensions=false", "lock_configuration=true",
                ])
            {
                using var command = connection.CreateCommand();
                command.CommandText = $"SET {setting}";
                command.ExecuteNonQuery();
            }
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

#pragma warning disable DuckDBNET001 // The only way to compute a keyed digest while the engine writes the file.
    private static void Register(DuckDBConnection connection, Func<string, string> replaced) =>
        connection.RegisterScalarFunction<string, string>(
            Replace,
            (values, results, rows) =>
            {
                for (var row = 0UL; row < rows; row++)
                {
                    if (values[0].IsValid(row))
                        results.WriteValue(replaced(values[0].GetValue<string>(row)), row);
                    else
                        results.WriteNull(row);
                }
            });
#pragma warning restore DuckDBNET001

    private static (string Name, string Type)[] Columns(DuckDBConnection connection, string path, string shown)
    {
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"DESCRIBE SELECT * FROM {Table(path)}";
            using var reader = command.ExecuteReader();
            var columns = new List<(string, string)>();
            while (reader.Read())
                columns.Add((reader.GetString(0), reader.GetString(1)));
            return [.. columns];
        }
        catch (DuckDBException e)
        {
            throw Unreadable(shown, path, e);
        }
    }

    private static IEnumerable<(long Number, string?[] Row)> Rows(DuckDBConnection connection, string query, int width, string shown)
    {
        using var command = connection.CreateCommand();
        command.CommandText = query;
        command.UseStreamingMode = true;
        using var reader = Guarded(() => command.ExecuteReader(), shown);
        for (var number = 1L; Guarded(reader.Read, shown); number++)
        {
            var row = new string?[width];
            for (var i = 0; i < width; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetString(i);
            yield return (number, row);
        }
    }

    private static T Guarded<T>(Func<T> read, string shown)
    {
        try
        {
            return read();
        }
        catch (DuckDBException e)
        {
            throw Unreadable(shown, null, e);
        }
    }

    private static InvalidDataException Unreadable(string shown, string? path, DuckDBException e)
    {
        var message = e.Message.Split('\n')[0];
        return new($"{shown}: is not a Parquet file that can be read: {(path is null ? message : message.Replace(path, shown, StringComparison.Ordinal))}", e);
    }

    private static string Table(string path) => $"read_parquet({SqlQuote.Text(path)}, hive_partitioning=false, union_by_name=false)";
}
