using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Loads texts that contain U+0000 into a table. The engine can store them, but its appender truncates a text there, so that two
/// names would become one, and the approval of one would apply to every name with the same beginning. They are loaded as bytes
/// and put into their cells afterwards.
/// </summary>
internal sealed class WholeTexts(string table, ImmutableArray<Column> columns)
{
    /// <summary>
    /// The limit of bytes of such texts in one table, including the overhead of each; real evidence has a handful of them, if
    /// any.
    /// </summary>
    private const long MostBytes = 64L << 20;
    private const int BytesBesideText = 64;

    private readonly List<(long Row, int Column, byte[] Text)> _texts = [];
    private long _bytes;

    /// <summary>Takes the texts that would be truncated out of a row, and leaves their cells without a value.</summary>
    /// <exception cref="EvidenceFormatException">They exceed the memory limit.</exception>
    public void Take(long row, Cell[] cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            if (columns[i].Type != ColumnType.Text || cells[i].Text is not { } text || !text.Contains('\0', StringComparison.Ordinal))
                continue;
            var bytes = Encoding.UTF8.GetBytes(text);
            if ((_bytes += bytes.Length + BytesBesideText) > MostBytes)
                throw new EvidenceFormatException($"table {table} holds more than {MostBytes} bytes of texts with the character U+0000");
            _texts.Add((row, i, bytes));
            cells[i] = default;
        }
    }

    /// <summary>Puts every text that was taken out into its row, which is identified by its number from 0.</summary>
    public async Task PutAsync(LockedDatabase database, string into, CancellationToken cancellationToken)
    {
        if (_texts.Count == 0)
            return;
        database.Execute("CREATE TABLE _whole_texts (n BIGINT, place INTEGER, text BLOB)");
        using (var appender = database.Append("_whole_texts"))
        {
            foreach (var (row, column, text) in _texts)
                appender.CreateRow().AppendValue((long?)row).AppendValue((int?)column).AppendValue(text).EndRow();
        }
        foreach (var place in _texts.Select(t => t.Column).Distinct())
        {
            await database.ExecuteAsync(
                $"UPDATE {SqlQuote.Name(into)} AS t SET {SqlQuote.Name(columns[place].Name)} = decode(w.text) "
                + $"FROM _whole_texts w WHERE w.place = {place} AND w.n = t.rowid",
                [], cancellationToken);
        }
        database.Execute("DROP TABLE _whole_texts");
    }
}
