using System.Runtime.InteropServices;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>How a call ended, as its line in the table of calls says it.</summary>
internal sealed record CallEnd(CollectionOutcome Outcome, string? Code, JsonElement Detail);

/// <summary>
/// Keeps the answers to questions that several parent rows ask, so that the network is asked once and each row still has the answer.
/// Memory has the places of each such answer in the run's file, and a part of the one that is being written.
/// </summary>
internal sealed class RepeatedAnswers(ScratchFile file) : IDisposable
{
    private const int PartBytes = 64 * 1024;
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = int.MaxValue };
    private readonly Dictionary<QuestionKey, List<(long At, int Length)>> _answers = [];
    private readonly MemoryStream _part = new();
    private List<(long At, int Length)> _places = [];
    private BinaryWriter? _writer;

    private enum Entry : byte
    {
        Row,
        End,
    }

    /// <summary>Begins the answer to a question, which <see cref="Add"/> and <see cref="End"/> continue.</summary>
    public void Begin(QuestionKey question)
    {
        _writer ??= new(_part);
        _answers[question] = _places = [];
    }

    public void Add(string reference, JsonElement row)
    {
        _writer!.Write((byte)Entry.Row);
        _writer.Write(reference);
        Write(row);
        if (_part.Length >= PartBytes)
            EndPart();
    }

    /// <param name="read">The number of rows that the answer had before <c>keep</c>.</param>
    public void End(CallEnd end, long read)
    {
        _writer!.Write((byte)Entry.End);
        _writer.Write((byte)end.Outcome);
        _writer.Write(end.Code is not null);
        _writer.Write(end.Code ?? "");
        Write(end.Detail);
        _writer.Write(read);
        EndPart();
    }

    /// <summary>Passes each row of an answer on, and returns how its call ended and how many rows it had before <c>keep</c>.</summary>
    public (CallEnd End, long Read) Replay(QuestionKey question, Action<string, JsonElement> row)
    {
        foreach (var (at, length) in _answers[question])
        {
            using var part = new BinaryReader(new MemoryStream(file.Read(at, length)));
            while (part.BaseStream.Position < length)
            {
                if ((Entry)part.ReadByte() == Entry.Row)
                {
                    row(part.ReadString(), ReadJson(part));
                    continue;
                }
                var (outcome, hasCode, code) = ((CollectionOutcome)part.ReadByte(), part.ReadBoolean(), part.ReadString());
                return (new(outcome, hasCode ? code : null, ReadJson(part)), part.ReadInt64());
            }
        }
        throw new InvalidOperationException("the answer was not ended");
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _part.Dispose();
    }

    private void EndPart()
    {
        _places.Add((file.Append(_part.GetBuffer().AsSpan(0, checked((int)_part.Length))), (int)_part.Length));
        _part.SetLength(0);
    }

    private void Write(JsonElement value)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value);
        _writer!.Write(raw.Length);
        _writer.Write(raw);
    }

    private static JsonElement ReadJson(BinaryReader part) => JsonElement.Parse(part.ReadBytes(part.ReadInt32()), AnyDepth);
}
