using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using DuckDB.NET.Data;

namespace AuditCli.Collectors.Files;

/// <summary>
/// The rows of a Parquet file. An engine of its own reads it, which can open this one file and nothing else; the engine that runs controls can
/// open no file at all.
/// </summary>
internal sealed class ParquetInput : InputFile
{
    private readonly string _query;
    private readonly string _shown;
    private readonly int _width;

    private ParquetInput(DuckDBConnection connection, string query, string shown, int width) =>
        (Connection, _query, _shown, _width) = (connection, query, shown, width);

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
            var cells = string.Join(", ", columns.Select(c => Text(Quote(c.Name), types[c.Name])).DefaultIfEmpty("''"));
            return new(connection, $"SELECT {cells} FROM {Table(path)}", shown, columns.Length);
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
        var cells = string.Join(", ", names.Select(n => $"CAST({Quote(n)} AS VARCHAR)"));
        foreach (var (number, row) in Rows(connection, $"SELECT {cells} FROM {Table(path)}", names.Length, shown))
        {
            for (var i = 0; i < names.Length; i++)
            {
                if (row[i] is { } text)
                    yield return (number, names[i], text);
            }
        }
    }

    public override IEnumerable<InputRecord> Records() =>
        Rows(Connection, _query, _width, _shown).Select(r => new InputRecord(r.Number, r.Number, [.. r.Row.Select(Cell)]));

    protected override void Dispose(bool disposing) => Connection.Dispose();

    /// <summary>Marks the cells that cannot be read as text: no text of a file can begin with it, since the engine makes each cell.</summary>
    private const string FaultMark = "\u0001fault:";

    private static InputCell Cell(string? text) =>
        text?.StartsWith(FaultMark, StringComparison.Ordinal) == true ? new(null, text[FaultMark.Length..])
        : text?.StartsWith(TextMark, StringComparison.Ordinal) == true ? new(text[TextMark.Length..])
        : new(text);

    /// <summary>Begins each text of the file, so that none of them can be taken for a fault.</summary>
    private const string TextMark = "\u0001text:";

    /// <summary>Returns the expression that gives a column's values in the spelling of CSV.</summary>
    private static string Text(string column, string type) => type switch
    {
        "VARCHAR" => $"'{TextMark}' || {column}",
        "BOOLEAN" or "DATE" => $"CAST({column} AS VARCHAR)",
        "TIMESTAMP WITH TIME ZONE" => $"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')",
        "FLOAT" or "DOUBLE" => $"CAST({column} AS VARCHAR)",
        _ when type.StartsWith("TIMESTAMP", StringComparison.Ordinal) => Fault(column, "is a time without a time zone"),
        _ when type.EndsWith("INT", StringComparison.Ordinal) || type.EndsWith("INTEGER", StringComparison.Ordinal)
            || type.StartsWith("DECIMAL", StringComparison.Ordinal) => $"CAST({column} AS VARCHAR)",
        _ when type.StartsWith("ENUM", StringComparison.Ordinal) || type == "UUID" => $"'{TextMark}' || CAST({column} AS VARCHAR)",
        _ => Fault(column, $"is a {type.ToLowerInvariant()}, which inputs do not have"),
    };

    private static string Fault(string column, string why) => $"CASE WHEN {column} IS NOT NULL THEN '{FaultMark}{why}' END";

    private static bool IsNested(string type) => type.EndsWith(']') || type.StartsWith("STRUCT", StringComparison.Ordinal)
        || type.StartsWith("MAP", StringComparison.Ordinal) || type.StartsWith("UNION", StringComparison.Ordinal);

    private static DuckDBConnection Connect(string path, string shown)
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
                    "TimeZone='UTC'", "temp_directory=''", "preserve_insertion_order=true", $"allowed_paths=[{Literal(path)}]", "enable_external_access=false",
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

    private static string Table(string path) => $"read_parquet({Literal(path)}, hive_partitioning=false, union_by_name=false)";

    private static string Literal(string text) => string.Create(CultureInfo.InvariantCulture, $"'{text.Replace("'", "''", StringComparison.Ordinal)}'");

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
