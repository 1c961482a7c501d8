namespace AuditCli.Controls.Yaml;

/// <summary>A position in a file written by a person; line and column count from 1, columns in UTF-16 code units.</summary>
/// <param name="File">The file's name in messages.</param>
public readonly record struct YamlPosition(string File, int Line, int Column)
{
    public override string ToString() => $"{File}:{Line}:{Column}";
}

/// <summary>
/// The position of a text's first character in its file, so that a fault inside the text (SQL, mostly) can be shown in the file.
/// </summary>
/// <param name="Start">The text's first character; for a block scalar that of its first line, not of its indicator.</param>
/// <param name="LineByLine">
/// Whether the text has the file's own lines (a literal block scalar), so that every line of it has a position.
/// </param>
public readonly record struct TextPosition(YamlPosition Start, bool LineByLine)
{
    /// <summary>
    /// Returns the position of a line and column of the text, both from 1; the text's start where the file's lines are not the
    /// text's.
    /// </summary>
    public YamlPosition At(int line, int column)
    {
        if (LineByLine)
            return Start with { Line = Start.Line + line - 1, Column = Start.Column + column - 1 };
        return line == 1 ? Start with { Column = Start.Column + column - 1 } : Start;
    }
}
