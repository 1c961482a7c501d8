using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Writes and reads the lines of <c>data/evidence/index.jsonl</c>: one JSON object (RFC 8259) per evidence item, no white space,
/// members in a fixed order, absent members left out. Reading is strict: unknown, missing and duplicate members are errors.
/// </summary>
public static class EvidenceIndex
{
    private const int MaxDepth = 64;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    /// <summary>Formats one line in UTF-8, without its line end.</summary>
    /// <exception cref="ArgumentException">A text has a lone surrogate, or parameters are nested too deeply.</exception>
    public static byte[] Format(EvidenceItem item)
    {
        var json = new IndexLineWriter();
        json.Open('{');
        json.Text("evidence_id", item.EvidenceId);
        json.List("names", item.Names, n =>
        {
            json.Text("control", n.Control);
            json.Text("name", n.Name);
        });
        json.Text("target", item.Target);
        json.Text("account", item.Account);
        json.Text("region", item.Region);
        json.Text("source", item.Source);
        json.Text("operation", item.Operation);
        json.Name("parameters");
        json.Open('{');
        foreach (var (name, value) in item.Parameters)
            json.Value(name, value, MaxDepth - 2);
        json.Close('}');
        json.Text("outcome", Word(item.Outcome));
        json.Text("code", item.Code);
        json.Text("message", item.Message);
        json.Number("pages", item.Pages);
        json.Number("items", item.Items);
        json.Text("table", item.Table);
        json.Text("table_sha256", item.TableSha256?.Hex);
        json.List("columns", item.Columns, c =>
        {
            json.Text("name", c.Name);
            json.Text("type", Word(c.Type));
            json.Number("scale", c.Scale);
        });
        json.Text("calls", item.Calls);
        json.Text("calls_sha256", item.CallsSha256?.Hex);
        json.List("exchanges", item.Exchanges, e =>
        {
            json.Text("file", e.File);
            json.Text("record_id", e.RecordId);
            json.Text("request_id", e.RequestId);
            json.Number("status", e.Status);
            json.Text("date", Rfc3339.Format(e.Date));
        });
        json.Text("identity", item.Identity);
        json.Text("started", Rfc3339.Format(item.Started));
        json.Text("finished", Rfc3339.Format(item.Finished));
        json.Text("read_from", item.ReadFrom is { } from ? Rfc3339.Format(from) : null);
        json.Text("read_until", item.ReadUntil is { } until ? Rfc3339.Format(until) : null);
        json.Number("clock_offset_seconds", item.ClockOffsetSeconds);
        json.Number("answer_age_seconds", item.AnswerAgeSeconds);
        json.Number("stale_answers", item.StaleAnswers);
        json.List("redactions", item.Redactions, r =>
        {
            json.Text("pointer", r.Pointer);
            json.Text("rule", r.Rule);
            json.Text("digest", r.Digest);
        });
        json.Number("redacted", item.Redacted);
        json.Number("read", item.Read);
        json.Number("kept", item.Kept);
        json.List("failures", item.Failures, f =>
        {
            json.Text("code", f.Code);
            json.Text("message", f.Message);
            json.Number("count", f.Count);
        });
        if (!item.TakenAsNone.IsEmpty)
        {
            json.List("taken_as_none", item.TakenAsNone, n =>
            {
                json.Text("code", n.Code);
                json.Number("count", n.Count);
            });
        }
        json.Texts("notes", item.Notes);
        json.Close('}');
        return json.ToArray();
    }

    /// <summary>Parses the item of one line.</summary>
    /// <exception cref="InvalidDataException">
    /// The line is not in the form of <see cref="Format"/>; the message names the member.
    /// </exception>
    public static EvidenceItem Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line, Strict);
            var members = new StrictMembers(document.RootElement, "an evidence item");
            var item = new EvidenceItem
            {
                EvidenceId = members.Text("evidence_id"),
                Names = members.List("names", m => new EvidenceName(m.Text("control"), m.Text("name"))),
                Target = members.Text("target"),
                Account = members.Text("account"),
                Region = members.Text("region"),
                Source = members.Text("source"),
                Operation = members.Text("operation"),
                Parameters = members.Object("parameters").ToImmutableSortedDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal),
                Outcome = Enumeration<CollectionOutcome>(members.Text("outcome")),
                Code = members.OptionalText("code"),
                Message = members.OptionalText("message"),
                Pages = members.Number("pages"),
                Items = members.Number("items"),
                Table = members.OptionalText("table"),
                TableSha256 = Sha256(members.OptionalText("table_sha256")),
                Columns = members.List("columns", ColumnOf),
                Calls = members.OptionalText("calls"),
                CallsSha256 = Sha256(members.OptionalText("calls_sha256")),
                Exchanges = members.List("exchanges", m => new ExchangeReference(
                    m.Text("file"), m.Text("record_id"), m.OptionalText("request_id"), checked((int)m.Number("status")), Instant(m.Text("date")))),
                Identity = members.Text("identity"),
                Started = Instant(members.Text("started")),
                Finished = Instant(members.Text("finished")),
                ReadFrom = OptionalInstant(members.OptionalText("read_from")),
                ReadUntil = OptionalInstant(members.OptionalText("read_until")),
                ClockOffsetSeconds = members.OptionalSigned("clock_offset_seconds"),
                AnswerAgeSeconds = members.OptionalNumber("answer_age_seconds"),
                StaleAnswers = members.OptionalNumber("stale_answers"),
                Redactions = members.List("redactions", m => new RedactedValue(m.Text("pointer"), m.Text("rule"), m.Text("digest"))),
                Redacted = members.OptionalNumber("redacted"),
                Read = members.OptionalNumber("read"),
                Kept = members.OptionalNumber("kept"),
                Failures = members.List("failures", m => new ReadFailure(m.Text("code"), m.Text("message"), m.Number("count"))),
                TakenAsNone = members.Has("taken_as_none") ? members.List("taken_as_none", m => new NoneAnswer(m.Text("code"), m.Number("count"))) : [],
                Notes = members.OptionalTexts("notes"),
            };
            members.End();
            return item;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or OverflowException)
        {
            // System.Text.Json throws InvalidOperationException for text that is not well-formed Unicode.
            throw new InvalidDataException($"not an evidence item: {e.Message}", e);
        }
    }

    /// <summary>Reads every item of a bundle, in file order, one line in memory at a time.</summary>
    /// <exception cref="InvalidDataException">
    /// A line is not an item, or the file is not a regular file; the message has file and line.
    /// </exception>
    /// <exception cref="IOException">The file does not exist, or cannot be read.</exception>
    public static IEnumerable<EvidenceItem> Items(string bundleFolder)
    {
        using var file = BundleFile.Open(bundleFolder, BundleLayout.EvidenceIndex);
        foreach (var item in Items(file, Path.Combine(bundleFolder, BundleLayout.EvidenceIndex)))
            yield return item;
    }

    /// <summary>Does the same for an open file.</summary>
    /// <param name="path">The file's name in messages.</param>
    /// <inheritdoc cref="Items(string)"/>
    public static IEnumerable<EvidenceItem> Items(Stream file, string path)
    {
        var known = new Repeated();
        var number = 0;
        foreach (var line in Lines(file, path))
        {
            number++;
            EvidenceItem item;
            try
            {
                item = known.In(Parse(line));
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"{path}:{number}: {e.Message}", e);
            }
            yield return item;
        }
    }

    /// <summary>Does the same as <see cref="Items(string)"/>, with all items in memory at once.</summary>
    /// <inheritdoc cref="Items(string)" path="/exception"/>
    public static ImmutableArray<EvidenceItem> Read(string bundleFolder) => [.. Items(bundleFolder)];

    /// <summary>
    /// Reads the lines of an index, each of which must have a line end and is valid until the next one is read.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The last line has no line end, or a line is too long; the message has file and line.
    /// </exception>
    internal static IEnumerable<ReadOnlyMemory<byte>> Lines(Stream file, string path)
    {
        var number = 0;
        foreach (var (line, ended) in NdjsonFile.Lines(file, path))
        {
            number++;
            yield return ended ? line : throw new InvalidDataException($"{path}:{number}: the last line is incomplete");
        }
    }

    private static Column ColumnOf(StrictMembers members)
    {
        var (name, type, scale) = (members.Text("name"), Enumeration<ColumnType>(members.Text("type")), members.OptionalNumber("scale"));
        return scale is null || (type == ColumnType.Decimal && scale <= ExactNumber.DecimalDigits)
            ? new(name, type) { Scale = (int?)scale }
            : throw new InvalidDataException($"column '{name}' of type {Word(type)} cannot have the scale {scale}");
    }

    private static T Enumeration<T>(string word) where T : struct, Enum =>
        Enum.GetValues<T>().Select(v => (T?)v).FirstOrDefault(v => Word(v!.Value) == word)
        ?? throw new InvalidDataException($"'{word}' is not one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}");

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static Digest? Sha256(string? hex) => hex is null ? null
        : Digest.TryParse(hex, out var digest) ? digest
        : throw new InvalidDataException($"'{hex}' is not a SHA-256");

    private static DateTimeOffset Instant(string text) => Rfc3339.TryParse(text, out var instant)
        ? instant
        : throw new InvalidDataException($"'{text}' is not an RFC 3339 timestamp");

    private static DateTimeOffset? OptionalInstant(string? text) => text is null ? null : Instant(text);

    /// <summary>
    /// Shares the values that items of an index have in common: the same columns, names and files come with every account and
    /// region, and make up most of an item's memory.
    /// </summary>
    private sealed class Repeated
    {
        private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
        private readonly Dictionary<string, ImmutableArray<Column>> _columns = new(StringComparer.Ordinal);
        private readonly Dictionary<string, ImmutableArray<EvidenceName>> _names = new(StringComparer.Ordinal);

        public EvidenceItem In(EvidenceItem item) => item with
        {
            Names = Once(_names, string.Join('\n', item.Names.Select(n => $"{n.Control}\t{n.Name}")), item.Names),
            Target = Once(item.Target),
            Account = Once(item.Account),
            Region = Once(item.Region),
            Source = Once(item.Source),
            Operation = Once(item.Operation),
            Identity = Once(item.Identity),
            Columns = Once(_columns, string.Join('\n', item.Columns.Select(c => $"{c.Name}\t{c.TypeWithScale}")), item.Columns),
            Exchanges = [.. item.Exchanges.Select(e => e with { File = Once(e.File) })],
        };

        private string Once(string text) => _texts.TryGetValue(text, out var known) ? known : _texts[text] = text;

        private static T Once<T>(Dictionary<string, T> all, string key, T value) => all.TryGetValue(key, out var known) ? known : all[key] = value;
    }

    /// <summary>Writes JSON members with separators as needed; null values are left out.</summary>
    private sealed class IndexLineWriter
    {
        private readonly JsonText _text = new();
        private bool _first = true;

        public void Open(char bracket)
        {
            _text.Append((byte)bracket);
            _first = true;
        }

        public void Close(char bracket)
        {
            _text.Append((byte)bracket);
            _first = false;
        }

        public void Name(string name)
        {
            Separate();
            _text.AppendString(name);
            _text.Append((byte)':');
        }

        public void Text(string name, string? value)
        {
            if (value is null)
                return;
            Name(name);
            _text.AppendString(value);
        }

        public void Number(string name, long? value)
        {
            if (value is not { } number)
                return;
            Name(name);
            _text.Append(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        }

        public void Value(string name, JsonElement value, int depth)
        {
            Name(name);
            if (_text.TryAppend(value, depth) is { } fault)
                throw new ArgumentException($"'{name}' {fault}");
        }

        public void List<T>(string name, ImmutableArray<T> values, Action<T> members)
        {
            Name(name);
            Open('[');
            foreach (var value in values)
            {
                Separate();
                Open('{');
                members(value);
                Close('}');
            }
            Close(']');
        }

        /// <summary>Appends a list of texts, left out when it is empty.</summary>
        public void Texts(string name, ImmutableArray<string> values)
        {
            if (values.IsEmpty)
                return;
            Name(name);
            Open('[');
            foreach (var value in values)
            {
                Separate();
                _text.AppendString(value);
            }
            Close(']');
        }

        public byte[] ToArray() => _text.Written.ToArray();

        private void Separate()
        {
            if (!_first)
                _text.Append((byte)',');
            _first = false;
        }
    }
}
