namespace AuditCli.Evidence.Text;

/// <summary>Quotes names and texts for SQL (ISO/IEC 9075-2), whatever they hold.</summary>
public static class SqlQuote
{
    /// <summary>Quotes a name as an SQL identifier.</summary>
    public static string Name(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return '"' + name.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
    }

    /// <summary>Quotes a text as an SQL literal.</summary>
    public static string Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return '\'' + text.Replace("'", "''", StringComparison.Ordinal) + '\'';
    }
}
