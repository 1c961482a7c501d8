using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Reads one YAML document strictly: UTF-8 of at most 1 MiB, at most 64 levels and 200,000 parser events, no anchors, aliases,
/// tags or %YAML directive, no second document, no duplicate keys, no control characters. Files may come from untrusted authors.
/// </summary>
public static class YamlDocument
{
    public const int MaximumBytes = 1024 * 1024;
    public const int MaximumDepth = 64;
    public const int MaximumEvents = 200_000;

    /// <summary>
    /// Returns the document's root, and its faults in the order of the file. The root is null when the text is not such a
    /// document; a duplicate key is a fault, but the rest of the document is read, and the first of the two keys is used.
    /// </summary>
    /// <param name="file">The file's name in messages.</param>
    /// <param name="escapes">
    /// Whether an escape may produce a character that the file itself may not contain, since a provider's evidence can contain
    /// it.
    /// </param>
    public static (YamlNode? Root, ImmutableArray<Diagnostic> Faults) Parse(string file, ReadOnlySpan<byte> content, bool escapes = false)
    {
        var faults = new FaultList();
        var root = Decode(file, content, faults) is { } text ? new TreeBuilder(file, text, escapes, faults).Build() : null;
        return (root, faults.InOrder());
    }

    private static string? Decode(string file, ReadOnlySpan<byte> content, FaultList faults)
    {
        if (content.Length > MaximumBytes)
        {
            faults.Form(new(file, 1, 1), $"the file has {content.Length} bytes; at most {MaximumBytes} are read");
            return null;
        }
        if (content.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            content = content[3..];
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content);
        }
        catch (DecoderFallbackException e)
        {
            var before = Encoding.UTF8.GetString(content[..Math.Clamp(e.Index, 0, content.Length)]);
            faults.Form(PositionAt(file, before, before.Length), "the file is not UTF-8 from here on; save it as UTF-8");
            return null;
        }
        var index = IndexOfControl(text, TextMayHave);
        if (index < 0)
            return text;
        faults.Form(PositionAt(file, text, index), $"the character U+{(int)text[index]:X4} is not allowed");
        return null;
    }

    private static readonly SearchValues<char> TextMayHave = SearchValues.Create("\t\n\r");

    /// <summary>
    /// Returns the index of the first forbidden character: controls of C0 and C1, line separators that only some programs
    /// recognise, a byte order mark inside the text, the marks that change the direction of writing, with which a text can look
    /// different from its content, and lone surrogates.
    /// </summary>
    internal static int IndexOfControl(string text, SearchValues<char> allowed)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if ((char.IsControl(c) && !allowed.Contains(c)) || c is '\u2028' or '\u2029' or '\uFEFF' or (>= '\u202A' and <= '\u202E')
                or (>= '\u2066' and <= '\u2069'))
                return i;
            if (char.IsSurrogate(c))
            {
                if (i + 1 == text.Length || !char.IsSurrogatePair(c, text[i + 1]))
                    return i;
                i++;
            }
        }
        return -1;
    }

    private static YamlPosition PositionAt(string file, string text, int index)
    {
        var before = text.AsSpan(0, index);
        var line = before.Count('\n') + 1;
        return new(file, line, index - before.LastIndexOf('\n'));
    }

    /// <summary>Builds the tree from the parser's events. It stops at the first fault other than a duplicate key.</summary>
    private sealed class TreeBuilder(string file, string text, bool escapes, FaultList faults)
    {
        private readonly Parser _parser = new(new StringReader(text));
        private readonly string[] _lines = text.Split('\n');
        private int _events;

        public YamlNode? Build()
        {
            try
            {
                if (!Next<StreamStart>() || !Next<DocumentStart>())
                    return Refuse(new(file, 1, 1), "the file is empty");
                // A %TAG directive has no effect without tags, and tags are refused where they occur.
                if (_parser.Current is DocumentStart { Version: not null })
                    return Refuse(Position(_parser.Current.Start), "the directive %YAML is not allowed");
                if (!MoveNext() || Node(1) is not { } root)
                    return null;
                if (!MoveNext() || !MoveNext())
                    return null;
                return _parser.Current is StreamEnd
                    ? root
                    : Refuse(Position(_parser.Current!.Start), "a second document begins here; a file holds one");
            }
            catch (YamlException e)
            {
                return Refuse(Fault(e), "not YAML: " + Plain(e));
            }
        }

        private bool Next<T>() where T : ParsingEvent => MoveNext() && _parser.Current is T;

        private bool MoveNext()
        {
            if (++_events > MaximumEvents)
            {
                Refuse(Position(_parser.Current!.Start), $"the file has more than {MaximumEvents} YAML events");
                return false;
            }
            try
            {
                return _parser.MoveNext();
            }
            catch (Exception e) when (e is not YamlException)
            {
                // For some malformed texts the parser throws exceptions of the base library: [1 <newline> b: 2.
                Refuse(_parser.Current is { } last ? Position(last.End) : new(file, 1, 1), "not YAML: the parser cannot go on from here");
                return false;
            }
        }

        private YamlNode? Node(int depth)
        {
            var current = _parser.Current!;
            var at = Position(current.Start);
            if (current is AnchorAlias)
                return Refuse(at, "YAML aliases (*name) are not allowed; write the value out");
            if (current is NodeEvent { Anchor.IsEmpty: false })
                return Refuse(at, "YAML anchors (&name) are not allowed; write the value out where it is needed");
            if (current is NodeEvent { Tag.IsEmpty: false })
                return Refuse(at, "YAML tags (!name) are not allowed");
            if (depth > MaximumDepth)
                return Refuse(at, $"nested deeper than {MaximumDepth} levels");
            return current switch
            {
                MappingStart => Map(at, depth),
                SequenceStart => List(at, depth),
                Scalar scalar => ScalarNode(at, scalar),
                // For some malformed flow maps the parser returns the end event where a value should begin.
                _ => Refuse(at, "not YAML: a value is missing here"),
            };
        }

        private YamlMap? Map(YamlPosition at, int depth)
        {
            var entries = ImmutableArray.CreateBuilder<YamlEntry>();
            var keys = new Dictionary<string, YamlPosition>(StringComparer.Ordinal);
            while (true)
            {
                if (!MoveNext())
                    return null;
                if (_parser.Current is MappingEnd)
                    return new(at, entries.ToImmutable());
                if (Node(depth + 1) is not { } key)
                    return null;
                if (key is not YamlScalar name)
                {
                    Refuse(key.Position, $"a key must be text, not {key.Described}");
                    return null;
                }
                if (!MoveNext() || Node(depth + 1) is not { } value)
                    return null;
                if (keys.TryAdd(name.Text, name.Position))
                    entries.Add(new(name, value));
                else
                    faults.Form(name.Position, $"the key '{name.Text}' is repeated here; the first is on line {keys[name.Text].Line}");
            }
        }

        private YamlList? List(YamlPosition at, int depth)
        {
            var items = ImmutableArray.CreateBuilder<YamlNode>();
            while (true)
            {
                if (!MoveNext())
                    return null;
                if (_parser.Current is SequenceEnd)
                    return new(at, items.ToImmutable());
                if (Node(depth + 1) is not { } item)
                    return null;
                items.Add(item);
            }
        }

        private int Forbidden(string value)
        {
            var index = IndexOfControl(value, TextMayHave);
            while (escapes && index >= 0 && !char.IsSurrogate(value[index]))
                index = IndexOfControl(value[(index + 1)..], TextMayHave) is >= 0 and var next ? index + 1 + next : -1;
            return index;
        }

        private YamlScalar? ScalarNode(YamlPosition at, Scalar scalar)
        {
            // An escape in double quotes can produce a character that the file itself may not contain.
            if (Forbidden(scalar.Value) is >= 0 and var index)
            {
                Refuse(at, $"the character U+{(int)scalar.Value[index]:X4} is not allowed, nor its escape");
                return null;
            }
            return scalar.Style switch
            {
                YamlDotNet.Core.ScalarStyle.Literal => new(at, scalar.Value, ScalarStyle.Literal, Block(at, scalar.Value, lineByLine: true)),
                YamlDotNet.Core.ScalarStyle.Folded => new(at, scalar.Value, ScalarStyle.Folded, Block(at, scalar.Value, lineByLine: false)),
                YamlDotNet.Core.ScalarStyle.SingleQuoted or YamlDotNet.Core.ScalarStyle.DoubleQuoted =>
                    new(at, scalar.Value, ScalarStyle.Quoted, new(at with { Column = at.Column + 1 }, LineByLine: false)),
                _ => new(at, scalar.Value, ScalarStyle.Plain, new(at, LineByLine: false)),
            };
        }

        /// <summary>
        /// Returns the position of a block scalar's content, which begins on the line after its indicator. The indentation is the
        /// difference between the file's line and the content's, taken from the first line that is not empty.
        /// </summary>
        private TextPosition Block(YamlPosition at, string content, bool lineByLine)
        {
            var contentLines = content.Split('\n');
            var first = Array.FindIndex(contentLines, l => l.Length > 0);
            var raw = first < 0 ? -1 : at.Line + first;
            var column = raw >= 0 && raw < _lines.Length
                ? lineByLine
                    ? _lines[raw].TrimEnd('\r').Length - contentLines[first].Length + 1
                    : _lines[raw].Length - _lines[raw].TrimStart(' ').Length + 1
                : 1;
            return new(new(file, at.Line + 1, Math.Max(1, column)), lineByLine);
        }

        private YamlNode? Refuse(YamlPosition at, string message)
        {
            faults.Form(at, message);
            return null;
        }

        private YamlPosition Position(Mark mark) => new(file, Math.Max(1, (int)mark.Line), Math.Max(1, (int)mark.Column));

        /// <summary>
        /// Returns the position of a parser error. For a tab the library reports the surrounding map; the position of the tab
        /// itself is more helpful.
        /// </summary>
        private YamlPosition Fault(YamlException e)
        {
            var at = Position(e.Start);
            if (!e.Message.Contains("tab", StringComparison.Ordinal))
                return at;
            var line = Array.FindIndex(_lines, Math.Min(at.Line, _lines.Length) - 1, l => l.TrimStart(' ').StartsWith('\t'));
            return line < 0 ? at : new(file, line + 1, _lines[line].IndexOf('\t') + 1);
        }

        /// <summary>
        /// Returns the library's message without its own position, because ours is printed before every message.
        /// </summary>
        private static string Plain(YamlException e)
        {
            var message = e.Message;
            var end = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
            message = end > 0 ? message[(end + 3)..] : message;
            return message.Length == 0 ? message : char.ToLower(message[0], CultureInfo.InvariantCulture) + message[1..].TrimEnd('.');
        }
    }
}
