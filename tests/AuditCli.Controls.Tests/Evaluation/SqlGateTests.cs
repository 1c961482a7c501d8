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
    [MemberData(nameof(HostileSql.Refused), MemberType = typeof(HostileSql))]
    public void Hostile_or_accidental_sql_is_refused_and_told_why(string sql, string because)
    {
        var refused = Assert.IsType<SqlVerdict.Refused>(_gate.Check(sql, Scope));
        Assert.Contains(because, refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(HostileSql.TooDeep), MemberType = typeof(HostileSql))]
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
    [InlineData(
        "SELECT date_diff('day', $period_start, $as_of), $as_of - INTERVAL 90 DAY, $as_of - to_days($days::INT), date_trunc('month', $as_of), "
            + "extract(year FROM $as_of)")]
    [InlineData(
        "SELECT name, string_agg(name, ',' ORDER BY name), count(*) FILTER (WHERE mfa), sum(age) FROM users "
            + "GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL")]
    [InlineData("SELECT name, row_number() OVER (PARTITION BY mfa ORDER BY age), count(*) OVER (PARTITION BY mfa) FROM users")]
    [InlineData(
        "SELECT CASE WHEN mfa THEN 1 ELSE 2 END, coalesce(name, 'x'), nullif(name, 'x'), ifnull(name, 'x'), "
            + "name || 'x', -age, name[1:2], {'a': 1}, age IN (1, 2) FROM users")]
    [InlineData("SELECT name FROM users UNION ALL SELECT serial FROM devices EXCEPT SELECT 'x'")]
    [InlineData("SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(a, b) SEMI JOIN users ON name = b")]
    [InlineData(
        "SELECT name::VARCHAR, TRY_CAST(name AS DATE), '2026-01-01'::TIMESTAMPTZ, name::DECIMAL(38,9), DATE '2026-01-01', true, "
            + "$as_of AT TIME ZONE 'UTC' FROM users;")]
    [InlineData("SELECT list(name ORDER BY age), array_agg(name ORDER BY name DESC NULLS LAST), list_sort(list(name)) FROM users")]
    [InlineData("SELECT list(name ORDER BY name), list_filter(list(age ORDER BY age), lambda a: a > $days) FROM users")]
    [InlineData("SELECT list_transform(tags::JSON[], t -> t->>'k'), list_filter(tags::JSON[], lambda t, i: i > 1 AND (t->>'k') = name) FROM users")]
    [InlineData(
        "SELECT list_transform(list_filter(list_transform(list_filter([1], lambda a: a > 1), b -> b + 1), lambda c: c > 1), lambda d: "
            + "list_transform([d], lambda e: e)) FROM users")]
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

    [Fact]
    public void Lineage_holds_what_a_lambda_uses()
    {
        var lineage = Assert.IsType<SqlVerdict.Admitted>(_gate.Check(
            "SELECT list_transform([1], lambda x: (SELECT lower(max(d.serial)) FROM devices d WHERE u.age = x)) FROM users u", Scope)).Lineage;
        Assert.True(lineage.Needs("devices", "serial") && lineage.Needs("users", "age"));
        Assert.Superset(new HashSet<string> { "list_transform", "lower" }, lineage.Functions.ToHashSet());
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
        string[] allowed =
        [
            .. SqlFunctions.Scalars, .. SqlFunctions.Lambdas, .. SqlFunctions.UnorderedAggregates, .. SqlFunctions.OrderedAggregates, .. SqlFunctions.Tables,
        ];
        string[] syntax = ["->", "ifnull", "nullif", "row", ItemFunction.Name, InternetFunctions.From, InternetFunctions.To];
        Assert.Empty(allowed.Except(known.Select(k => k.Name)).Except(syntax));
        Assert.Empty(allowed.Intersect(known.Where(k => k.Stability is "VOLATILE" or "CONSISTENT_WITHIN_QUERY").Select(k => k.Name)));
    }
}
