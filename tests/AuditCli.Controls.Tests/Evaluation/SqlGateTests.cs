using System.Globalization;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class SqlGateTests : IDisposable
{
    private static readonly SqlScope Scope = new(
        [new("users", Some.UserColumns), new("devices", Some.Devices.Columns), new("devices__calls", Some.Devices.CallColumns)],
        ["as_of", "period_start", "period_end", "days"]);

    private readonly SqlGate _gate = new();

    public void Dispose() => _gate.Dispose();

    [Theory]
    // files, network, other databases
    [InlineData("SELECT * FROM read_csv('/etc/passwd')", "read_csv")]
    [InlineData("SELECT * FROM read_text('/etc/passwd')", "read_text")]
    [InlineData("SELECT * FROM read_blob('/etc/passwd')", "read_blob")]
    [InlineData("SELECT * FROM read_json('/etc/passwd')", "read_json")]
    [InlineData("SELECT * FROM parquet_scan('x')", "parquet_scan")]
    [InlineData("SELECT * FROM '/etc/passwd'", "unknown table")]
    [InlineData("SELECT * FROM 'https://example.org/x.csv'", "unknown table")]
    [InlineData("SELECT * FROM glob('/*')", "glob")]
    [InlineData("SELECT * FROM sniff_csv('/etc/passwd')", "sniff_csv")]
    [InlineData("SELECT * FROM query('SELECT 1')", "query")]
    [InlineData("SELECT * FROM query_table('users')", "query_table")]
    [InlineData("WITH w AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM w", "read_csv")]
    [InlineData("SELECT (SELECT content FROM read_text('/etc/passwd')) FROM users", "read_text")]
    [InlineData("SELECT getenv('HOME')", "getenv")]
    // statements
    [InlineData("COPY users TO '/tmp/x'", "only one SELECT")]
    [InlineData("COPY (SELECT 1) TO '/tmp/x'", "only one SELECT")]
    [InlineData("ATTACH ':memory:' AS x", "only one SELECT")]
    [InlineData("SET VARIABLE x = 1", "only one SELECT")]
    [InlineData("CREATE MACRO lower(x) AS 'pwned'", "only one SELECT")]
    [InlineData("DELETE FROM users", "only one SELECT")]
    [InlineData("PRAGMA version", "only one SELECT")]
    [InlineData("INSTALL httpfs", "only one SELECT")]
    [InlineData("CHECKPOINT", "only one SELECT")]
    [InlineData("SELECT 1; SELECT 2", "2 statements")]
    [InlineData("SELECT * FROM users; PRAGMA version", "only one SELECT")]
    [InlineData("-- nothing", "0 statements")]
    [InlineData("SELECT 1) UNION (SELECT 2", "syntax error")]
    // the engine's own tables and settings
    [InlineData("SELECT * FROM duckdb_settings()", "duckdb_settings")]
    [InlineData("SELECT * FROM pg_settings", "unknown table")]
    [InlineData("SELECT * FROM pg_catalog.pg_settings", "without schema")]
    [InlineData("SELECT * FROM main.users", "without schema")]
    [InlineData("SELECT * FROM memory.main.users", "without schema")]
    [InlineData("SELECT current_setting('threads')", "current_setting")]
    [InlineData("SELECT getvariable('typo')", "getvariable")]
    [InlineData("SELECT version()", "version")]
    [InlineData("DESCRIBE users", "SHOW")]
    [InlineData("SELECT 1 FROM (SHOW TABLES)", "SHOW")]
    [InlineData("SUMMARIZE users", "SHOW")]
    [InlineData("SELECT json_execute_serialized_sql('{}')", "json_execute_serialized_sql")]
    [InlineData("SELECT write_log('x')", "write_log")]
    // the clock, the session, chance
    [InlineData("SELECT current_date", "current_date")]
    [InlineData("SELECT user, u.name FROM users u", "user")]
    [InlineData("SELECT \"user\" FROM users", "user")]
    [InlineData("SELECT name FROM users ORDER BY session_user", "session_user")]
    [InlineData("SELECT * FROM users WHERE age < epoch(now())", "now()")]
    [InlineData("SELECT today()", "today()")]
    [InlineData("SELECT get_current_timestamp()", "get_current_timestamp")]
    [InlineData("SELECT current_localtimestamp()", "current_localtimestamp")]
    [InlineData("SELECT age($as_of)", "age()")]
    [InlineData("SELECT system.main.now()", "without schema")]
    [InlineData("SELECT (SELECT random()) FROM users", "random")]
    [InlineData("SELECT * FROM users ORDER BY random()", "random")]
    [InlineData("SELECT uuid()", "uuid")]
    [InlineData("SELECT nextval('s')", "nextval")]
    [InlineData("SELECT sleep_ms(30000)", "sleep_ms")]
    [InlineData("SELECT reservoir_quantile(age, 0.5) FROM users", "reservoir_quantile")]
    [InlineData("SELECT users.* EXCLUDE (tags) FROM users QUALIFY row_number() OVER (ORDER BY uuid()) = 1", "uuid")]
    [InlineData("SELECT * FROM users USING SAMPLE 10", "SAMPLE")]
    [InlineData("SELECT * FROM users TABLESAMPLE 10%", "SAMPLE")]
    // what hides items, or depends on the order of rows
    [InlineData("SELECT * FROM users LIMIT 5", "LIMIT")]
    [InlineData("SELECT * FROM users LIMIT 5%", "LIMIT")]
    [InlineData("SELECT * FROM users OFFSET 5", "LIMIT")]
    [InlineData("SELECT (SELECT name FROM users LIMIT 1)", "LIMIT")]
    [InlineData("SELECT DISTINCT ON (name) name FROM users", "DISTINCT ON")]
    [InlineData("SELECT list(name) FROM users", "ORDER BY inside")]
    [InlineData("SELECT string_agg(name, ',') FROM users", "ORDER BY inside")]
    [InlineData("SELECT first(name) FROM users", "ORDER BY inside")]
    [InlineData("SELECT any_value(name) FROM users", "ORDER BY inside")]
    [InlineData("SELECT arg_max(name, age) FROM users", "ORDER BY inside")]
    [InlineData("SELECT array(SELECT name FROM users)", "ORDER BY inside")]
    [InlineData("SELECT row_number() OVER () FROM users", "OVER needs ORDER BY")]
    [InlineData("SELECT lag(name) OVER (PARTITION BY mfa) FROM users", "OVER needs ORDER BY")]
    [InlineData("SELECT 1 FROM users NATURAL JOIN devices", "NATURAL join")]
    [InlineData("SELECT 1 FROM users POSITIONAL JOIN devices", "POSITIONAL join")]
    [InlineData("SELECT 1 FROM users a ASOF JOIN users b ON a.age >= b.age", "ASOF join")]
    [InlineData("SELECT * FROM (PIVOT users ON mfa IN (true, false) USING count(*))", "PIVOT")]
    [InlineData("SELECT * FROM (UNPIVOT users ON name INTO NAME n VALUE v)", "PIVOT")]
    [InlineData("PIVOT users ON mfa USING count(*)", "only one SELECT")]
    [InlineData("SELECT #1 FROM users", "POSITIONAL_REFERENCE")]
    // what never ends, or kills the process
    [InlineData("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT n FROM r", "recursive")]
    [InlineData("SELECT range(1000000000)", "range")]
    [InlineData("SELECT * FROM range(1000000000000)", "range")]
    [InlineData("SELECT unnest(generate_series(1, 1000000000))", "generate_series")]
    [InlineData("SELECT repeat('x', 2000000000)", "repeat")]
    [InlineData("SELECT lpad('x', 2000000000, 'y')", "lpad")]
    [InlineData("SELECT rpad('x', 2000000000, 'y')", "rpad")]
    [InlineData("SELECT bitstring('1', 2000000000)", "bitstring")]
    [InlineData("SELECT printf('%2000000000d', 1)", "printf")]
    [InlineData("SELECT [1]::INTEGER[1000000000]", "type parameter")]
    [InlineData("SELECT json_structure(tags) FROM users", "json_structure")]
    [InlineData("SELECT * FROM json_tree('[]')", "json_tree")]
    [InlineData("SELECT list_transform([1], x -> x + 1)", "list_transform")]
    [InlineData("SELECT [x + 1 FOR x IN [1, 2]]", "list_apply")]
    [InlineData("SELECT list_filter([1], lambda x: x > 1)", "list_filter")]
    [InlineData("SELECT list_reduce([1], lambda x, y: x + y)", "list_reduce")]
    // names
    [InlineData("SELECT * FROM nothing", "unknown table nothing")]
    [InlineData("SELECT name FROM users WHERE age < $nope", "$nope")]
    [InlineData("SELECT name FROM users WHERE age < ?", "unknown parameter $1")]
    [InlineData("WITH users AS (SELECT 1) SELECT * FROM users", "hide the evidence")]
    [InlineData("SELECT 1 FROM (WITH pg_settings AS (SELECT 1) SELECT * FROM pg_settings) a, pg_settings", "unknown table pg_settings")]
    [InlineData("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a", "unknown table b")]
    [InlineData("SELECT name COLLATE NOCASE FROM users", "COLLATE")]
    [InlineData("SELECT TRY(1 / age) FROM users", "OPERATOR_TRY")]
    [InlineData("SELECT name::no_such_type FROM users", "no_such_type")]
    [InlineData("SELECT * FROM users AT (VERSION => 1)", "AT is not")]
    [InlineData("SELECT 1 AS x\0", "NUL")]
    public void Hostile_or_accidental_sql_is_refused_and_told_why(string sql, string because)
    {
        var refused = Assert.IsType<SqlVerdict.Refused>(_gate.Check(sql, Scope));
        Assert.Contains(because, refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("SELECT 1{0}", "+1", 900)]
    [InlineData("SELECT 1{0}", "+1", 30000)]
    [InlineData("SELECT 1 FROM users{0}", ",users", 9000)]
    [InlineData("SELECT 1 FROM users{0}", " JOIN users USING (name)", 2500)]
    [InlineData("SELECT 1{0}", " UNION SELECT 1", 4000)]
    [InlineData("SELECT tags{0} FROM users", "->'a'", 10000)]
    [InlineData("SELECT age{0} FROM users", "::INT", 10000)]
    [InlineData("SELECT age::INT{0} FROM users", "[]", 30000)]
    public void Sql_nested_deep_enough_to_hurt_is_refused(string frame, string part, int times)
    {
        var sql = string.Format(CultureInfo.InvariantCulture, frame, string.Concat(Enumerable.Repeat(part, times)));
        Assert.IsType<SqlVerdict.Refused>(_gate.Check(sql, Scope));
    }

    [Fact]
    public void Sql_longer_than_64_KiB_is_refused() =>
        Assert.Contains("64 KiB", Assert.IsType<SqlVerdict.Refused>(_gate.Check("SELECT 1 --" + new string('x', 64 * 1024), Scope)).Message);

    [Fact]
    public void A_refusal_says_where_counting_characters()
    {
        var refused = Assert.IsType<SqlVerdict.Refused>(_gate.Check("SELECT 'ä' FROM users WHERE AND", Scope));
        Assert.Equal("SELECT 'ä' FROM users WHERE ".Length, refused.Offset);
        refused = Assert.IsType<SqlVerdict.Refused>(_gate.Check("SELECT 'ä', now() FROM users", Scope));
        Assert.Equal("SELECT 'ä', ".Length, refused.Offset);
    }

    [Theory]
    [InlineData("SELECT name AS item, mfa IS TRUE AS pass, 'x' AS reason, age FROM users WHERE name NOT LIKE 'a%' AND age BETWEEN 1 AND 2")]
    [InlineData("SELECT u.\"user\" FROM (SELECT name AS \"user\" FROM users) u")]
    [InlineData("WITH a AS (SELECT * FROM users), b AS (SELECT * FROM a) SELECT count(*) FROM b JOIN devices d ON d._with_UserName = b.name")]
    [InlineData("SELECT tags->>'k', tags->'$.a', tags->>'$.a[*].k', (tags->'a') IS NULL FROM users")]
    [InlineData("SELECT t.r->>'FromPort' FROM users u, unnest(u.tags::JSON[]) AS t(r) WHERE (r->>'x')::INT = ANY ([1, 2])")]
    [InlineData("SELECT e.key, e.value FROM users u, json_each(u.tags) e")]
    [InlineData("SELECT name FROM users WHERE NOT EXISTS (SELECT 1 FROM devices__calls c WHERE c._with_UserName = users.name AND c.outcome = 'complete')")]
    [InlineData("SELECT date_diff('day', $period_start, $as_of), $as_of - INTERVAL 90 DAY, $as_of - to_days($days::INT), date_trunc('month', $as_of), extract(year FROM $as_of)")]
    [InlineData("SELECT name, string_agg(name, ',' ORDER BY name), count(*) FILTER (WHERE mfa), sum(age) FROM users GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL")]
    [InlineData("SELECT name, row_number() OVER (PARTITION BY mfa ORDER BY age), count(*) OVER (PARTITION BY mfa) FROM users")]
    [InlineData("SELECT CASE WHEN mfa THEN 1 ELSE 2 END, coalesce(name, 'x'), nullif(name, 'x'), ifnull(name, 'x'), name || 'x', -age, name[1:2], {'a': 1}, age IN (1, 2) FROM users")]
    [InlineData("SELECT name FROM users UNION ALL SELECT serial FROM devices EXCEPT SELECT 'x'")]
    [InlineData("SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(a, b) SEMI JOIN users ON name = b")]
    [InlineData("SELECT name::VARCHAR, TRY_CAST(name AS DATE), '2026-01-01'::TIMESTAMPTZ, name::DECIMAL(38,9), DATE '2026-01-01', true, $as_of AT TIME ZONE 'UTC' FROM users;")]
    public void Sql_that_auditors_write_is_admitted(string sql)
    {
        var verdict = _gate.Check(sql, Scope);
        Assert.True(verdict is SqlVerdict.Admitted, (verdict as SqlVerdict.Refused)?.Message);
    }

    [Fact]
    public void Lineage_names_tables_columns_functions_and_parameters()
    {
        var lineage = Assert.IsType<SqlVerdict.Admitted>(_gate.Check(
            "SELECT lower(u.Name) AS item FROM USERS u JOIN devices USING (_account) WHERE u.age > $days", Scope)).Lineage;
        Assert.Equal(["devices", "users"], lineage.Tables);
        Assert.Equal(["days"], lineage.Parameters);
        Assert.Contains("lower", lineage.Functions);
        Assert.True(lineage.Needs("users", "name") && lineage.Needs("users", "age") && lineage.Needs("devices", "_account"));
        Assert.False(lineage.Needs("users", "mfa"));
    }

    [Theory]
    [InlineData("SELECT * FROM users")]
    [InlineData("SELECT u.* FROM users u")]
    [InlineData("SELECT COLUMNS('n.*') FROM users")]
    [InlineData("SELECT u FROM users u")]
    [InlineData("SELECT to_json(users) FROM users")]
    [InlineData("SELECT a FROM users AS t(a)")]
    public void Whole_rows_need_every_column(string sql) =>
        Assert.True(Assert.IsType<SqlVerdict.Admitted>(_gate.Check(sql, Scope)).Lineage.Needs("users", "mfa"));

    [Fact]
    public void Every_allowed_function_exists_and_none_is_volatile()
    {
        using var database = new DuckDB.NET.Data.DuckDBConnection("DataSource=:memory:");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = "SELECT DISTINCT lower(function_name), stability FROM duckdb_functions()";
        using var reader = command.ExecuteReader();
        var known = new List<(string Name, string? Stability)>();
        while (reader.Read())
            known.Add((reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1)));
        string[] allowed = [.. SqlFunctions.Scalars, .. SqlFunctions.UnorderedAggregates, .. SqlFunctions.OrderedAggregates, .. SqlFunctions.Tables];
        string[] syntax = ["->", "ifnull", "nullif", "row"];
        Assert.Empty(allowed.Except(known.Select(k => k.Name)).Except(syntax));
        Assert.Empty(allowed.Intersect(known.Where(k => k.Stability is "VOLATILE" or "CONSISTENT_WITHIN_QUERY").Select(k => k.Name)));
    }
}
