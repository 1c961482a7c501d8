using System.Collections.Immutable;
using System.Data.Common;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>The SQL engine, and those of its settings that affect a test's rows.</summary>
public sealed record EngineDescription(string Name, string Version, ImmutableSortedDictionary<string, string> Settings);

/// <summary>
/// A DuckDB database in memory that cannot reach any file, network, extension or setting, and whose results depend only on rows
/// and SQL: one thread, UTC.
/// </summary>
public sealed partial class LockedDatabase : IDisposable
{
    private static readonly ImmutableArray<string> Locks =
    [
        "SET TimeZone='UTC'",
        // Set here because an empty value in the connection string is lost, and DuckDB would then choose a folder to spill to.
        "SET temp_directory=''",
        "SET enable_external_access=false",
        "SET allow_community_extensions=false",
        "SET disabled_filesystems='LocalFileSystem'",
        "SET max_temp_directory_size='0B'",
        "SET max_expression_depth=250",
        "SET lock_configuration=true",
    ];

    private readonly DuckDBConnection _connection;
    private readonly HashSet<string> _defined = new(StringComparer.Ordinal);

    /// <summary>The definitions of the tables that <see cref="CreateEmpty"/> made and into which nothing was ever written, by name.</summary>
    private readonly Dictionary<string, string> _empty = new(StringComparer.Ordinal);

    private LockedDatabase(DuckDBConnection connection) => _connection = connection;

    /// <summary>Opens a new, empty database.</summary>
    /// <exception cref="ArgumentException">The limit is not a number and a unit.</exception>
    public static LockedDatabase Open(string memoryLimit)
    {
        if (!MemoryForm.IsMatch(memoryLimit))
            throw new ArgumentException($"'{memoryLimit}' is not an amount of memory such as 2GB", nameof(memoryLimit));
        var connection = new DuckDBConnection(
            $"DataSource=:memory:;threads=1;memory_limit={memoryLimit};"
            + "autoload_known_extensions=false;autoinstall_known_extensions=false");
        try
        {
            connection.Open();
            var database = new LockedDatabase(connection);
            foreach (var statement in Locks)
                database.Execute(statement);
            return database;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Defines those of the functions that are AuditCli's own, each once. Defining all of them takes longer than opening the
    /// database.
    /// </summary>
    internal void Define(IEnumerable<string> functions)
    {
        foreach (var definition in functions.Select(SqlFunctions.DefinitionOf).OfType<string>().Where(_defined.Add))
            Execute(definition);
    }

    /// <summary>
    /// Creates a table without rows. Most tables of a slice have none: one that was left without rows is not made again for the next slice,
    /// which takes longer than the engine needs for a small query.
    /// </summary>
    /// <param name="definition">The statement that creates it.</param>
    internal void CreateEmpty(string name, string definition)
    {
        if (_empty.TryGetValue(name, out var present) && present == definition)
            return;
        if (present is not null)
            Drop(name);
        Execute(definition);
        _empty[name] = definition;
    }

    /// <summary>Notes that the table is about to get rows.</summary>
    internal void Fill(string table) => _empty.Remove(table);

    /// <summary>Drops every table that is not named and not known to be without rows.</summary>
    internal void DropAllBut(IReadOnlySet<string> kept)
    {
        var tables = new List<string>();
        using (var command = Command("SELECT table_name FROM duckdb_tables()", []))
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
                tables.Add(reader.GetString(0));
        }
        foreach (var table in tables.Where(t => !kept.Contains(t) && !_empty.ContainsKey(t)))
            Drop(table);
    }

    private void Drop(string table)
    {
        Execute($"DROP TABLE {SqlQuote.Name(table)}");
        _empty.Remove(table);
    }

    /// <summary>Returns the engine and the settings that matter for results.</summary>
    public static EngineDescription Describe()
    {
        using var database = Open("64MB");
        using var command = database.Command("SELECT version()", []);
        var version = (string)command.ExecuteScalar()!;
        return new EngineDescription("duckdb", version, ImmutableSortedDictionary<string, string>.Empty
            .Add("enable_external_access", "false")
            .Add("max_expression_depth", "250")
            .Add("threads", "1")
            .Add("time_zone", "UTC"));
    }

    internal DuckDBCommand Command(string sql, IEnumerable<DuckDBParameter> parameters)
    {
        var command = _connection.CreateCommand();
        // Callers run a control's SQL only after SqlGate admitted it; all other text is AuditCli's own.
        command.CommandText = sql;
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    internal DuckDBAppender Append(string table) => _connection.CreateAppender(table);

    internal void Execute(string sql)
    {
        using var command = Command(sql, []);
        command.ExecuteNonQuery();
    }

    internal async Task ExecuteAsync(string sql, IEnumerable<DuckDBParameter> parameters, CancellationToken cancellationToken)
    {
        using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Returns all rows, each converted by a function; for results that are known to be small.</summary>
    internal async Task<ImmutableArray<T>> QueryAsync<T>(
        string sql, IEnumerable<DuckDBParameter> parameters, Func<DbDataReader, T> row, CancellationToken cancellationToken)
    {
        using var command = Command(sql, parameters);
        using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = ImmutableArray.CreateBuilder<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(row(reader));
        return rows.ToImmutable();
    }

    /// <summary>Returns names and SQL types of the columns of a query or table, in order.</summary>
    internal Task<ImmutableArray<(string Name, string Type)>> DescribeAsync(
        string query, IEnumerable<DuckDBParameter> parameters, CancellationToken cancellationToken) =>
        QueryAsync($"DESCRIBE {query}", parameters, r => (r.GetString(0), r.GetString(1)), cancellationToken);

    public void Dispose() => _connection.Dispose();

    [GeneratedRegex("^[0-9]{1,6}(KB|MB|GB|KiB|MiB|GiB)$", RegexOptions.CultureInvariant)]
    private static partial Regex MemoryForm { get; }
}
