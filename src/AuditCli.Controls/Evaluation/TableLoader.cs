using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>Creates an evidence table in the database, with all its columns, and fills those that are needed.</summary>
internal static class TableLoader
{
    /// <summary>How many rows are loaded between two checks of the cancellation token.</summary>
    private const int RowsPerLook = 4096;

    /// <summary>Returns the statement that creates a table without rows.</summary>
    public static string Definition(string name, ImmutableArray<Column> columns) => Definition(name, columns, SqlType);

    /// <summary>
    /// Appends the rows of every source, in order. Columns that are not needed stay NULL: they exist so that SQL may name any
    /// column, but they use no memory.
    /// </summary>
    /// <exception cref="EvidenceFormatException">A row does not have the form of the columns.</exception>
    public static async Task LoadAsync(
        LockedDatabase database,
        string name,
        ImmutableArray<Column> columns,
        IEnumerable<IEnumerable<ReadOnlyMemory<byte>>> sources,
        Func<string, bool> wanted,
        CancellationToken cancellationToken)
    {
        var whole = new WholeTexts(name, columns);
        // C#'s decimal has 28 digits and the column 38 or more, so such numbers are passed as text and DuckDB parses them.
        var staged = columns.Any(c => IsPassedAsText(c) && wanted(c.Name));
        var into = staged ? "_staging_" + name : name;
        var row = 0L;
        // Many tables have no rows, and opening an appender takes longer than appending one.
        DuckDBAppender? appender = null;
        try
        {
            foreach (var rows in sources)
            {
                var reader = new RowReader(name, columns, wanted);
                var count = 0;
                foreach (var line in rows)
                {
                    if (++count % RowsPerLook == 0)
                        cancellationToken.ThrowIfCancellationRequested();
                    reader.Read(line);
                    if (appender is null)
                    {
                        database.Fill(name);
                        if (staged)
                            database.Execute(Definition(into, columns, c => IsPassedAsText(c) ? "VARCHAR" : SqlType(c)));
                        appender = database.Append(into);
                    }
                    // JSON has no other way to write U+0000.
                    if (line.Span.IndexOf("\\u0000"u8) >= 0)
                        whole.Take(row, reader.Cells);
                    row++;
                    Append(appender.CreateRow(), columns, reader.Cells);
                }
            }
        }
        finally
        {
            appender?.Dispose();
        }
        await whole.PutAsync(database, into, cancellationToken);
        if (staged && row > 0)
        {
            await database.ExecuteAsync(
                $"INSERT INTO {SqlQuote.Name(name)} SELECT * FROM {SqlQuote.Name(into)} ORDER BY rowid", [], cancellationToken);
            database.Execute($"DROP TABLE {SqlQuote.Name(into)}");
        }
    }

    private static void Append(IDuckDBAppenderRow row, ImmutableArray<Column> columns, Cell[] cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            ref var cell = ref cells[i];
            _ = cell.Present
                ? columns[i].Type switch
                {
                    ColumnType.Integer => row.AppendValue((long?)cell.Integer),
                    ColumnType.Double => row.AppendValue((double?)cell.Double),
                    ColumnType.Boolean => row.AppendValue((bool?)cell.Boolean),
                    ColumnType.Timestamp => row.AppendValue((DateTimeOffset?)cell.Instant),
                    ColumnType.Date => row.AppendValue((DateOnly?)cell.Day),
                    _ => row.AppendValue(cell.Text),
                }
                : row.AppendNullValue();
        }
        row.EndRow();
    }

    private static string Definition(string name, ImmutableArray<Column> columns, Func<Column, string> type) =>
        $"CREATE TABLE {SqlQuote.Name(name)} ({string.Join(", ", columns.Select(c => $"{SqlQuote.Name(c.Name)} {type(c)}"))})";

    private static bool IsPassedAsText(Column column) => column.Type is ColumnType.Decimal or ColumnType.Whole;

    /// <summary>Returns the engine's type for a column.</summary>
    public static string SqlType(Column column) => column.Type switch
    {
        ColumnType.Text => "VARCHAR",
        ColumnType.Integer => "BIGINT",
        ColumnType.Decimal => $"DECIMAL({ExactNumber.DecimalDigits},{column.Scale ?? CellFormat.DecimalPlaces})",
        ColumnType.Whole => "BIGNUM",
        ColumnType.Double => "DOUBLE",
        ColumnType.Boolean => "BOOLEAN",
        ColumnType.Date => "DATE",
        ColumnType.Timestamp => "TIMESTAMPTZ",
        ColumnType.Json => "JSON",
        _ => throw new ArgumentOutOfRangeException(nameof(column), column.Type, "not a column type"),
    };
}
