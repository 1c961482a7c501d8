namespace AuditCli.Evidence.Tables;

/// <summary>
/// Reads an uncompressed file of JSON objects, one per line (NDJSON); memory does not grow with the number of lines.
/// </summary>
public static class NdjsonFile
{
    private const int BufferSize = 128 * 1024;

    /// <summary>Reads the file's lines without their ends, each valid until the next one is read.</summary>
    /// <param name="shownAs">The file's name in messages.</param>
    /// <returns>Each line, and whether it has a line end; only the last may have none.</returns>
    /// <exception cref="InvalidDataException">A line is longer than <see cref="TableReader.DefaultMaxRowBytes"/>; the message has file and line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<(ReadOnlyMemory<byte> Line, bool IsEnded)> Lines(string path, string shownAs)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        foreach (var line in Lines(file, shownAs))
            yield return line;
    }

    /// <summary>Does the same for an open file.</summary>
    /// <param name="maxRowBytes">The longest line that is read.</param>
    /// <inheritdoc cref="Lines(string, string)"/>
    public static IEnumerable<(ReadOnlyMemory<byte> Line, bool IsEnded)> Lines(
        Stream file, string shownAs, int maxRowBytes = TableReader.DefaultMaxRowBytes)
    {
        var buffer = new byte[BufferSize];
        var (start, end, number) = (0, 0, 0L);
        while (true)
        {
            for (int length; (length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
            {
                number++;
                yield return (buffer.AsMemory(start, length), true);
            }
            if (end - start > maxRowBytes)
                throw new InvalidDataException($"{shownAs}:{number + 1}: the row is larger than {maxRowBytes} bytes");
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = file.Read(buffer, end, buffer.Length - end);
            if (read == 0)
                break;
            end += read;
        }
        if (end > 0)
            yield return (buffer.AsMemory(0, end), false);
    }
}
