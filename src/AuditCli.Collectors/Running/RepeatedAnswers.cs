using System.Runtime.InteropServices;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>How a call ended, as its line in the table of calls says it.</summary>
internal sealed record CallEnd(CollectionOutcome Outcome, string? Code, JsonElement Detail);

/// <summary>
/// Keeps the answers to questions that several parent rows ask, so that the network is asked once and each row still has the answer.
/// They lie in a file without a name in the unfinished bundle's folder; memory has one place in it for each such question.
/// </summary>
internal sealed class RepeatedAnswers(string folder) : IDisposable
{
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = int.MaxValue };
    private readonly Dictionary<QuestionKey, long> _places = [];
    private FileStream? _file;
    private BinaryWriter? _writer;
    private BinaryReader? _reader;

    /// <summary>Begins the answer to a question, which is then the one that <see cref="Add"/> and <see cref="End"/> continue.</summary>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public void Begin(QuestionKey question)
    {
        _file ??= Open();
        _writer ??= new(_file);
        _reader ??= new(_file);
        _file.Seek(0, SeekOrigin.End);
        _places[question] = _file.Position;
    }

    public void Add(string reference, JsonElement row)
    {
        _writer!.Write(true);
        _writer.Write(reference);
        Write(row);
    }

    /// <param name="read">The number of rows that the answer had before <c>keep</c>.</param>
    public void End(CallEnd end, long read)
    {
        _writer!.Write(false);
        _writer.Write((byte)end.Outcome);
        _writer.Write(end.Code is not null);
        _writer.Write(end.Code ?? "");
        Write(end.Detail);
        _writer.Write(read);
        _writer.Flush();
    }

    /// <summary>Passes each row of an answer on, and returns how its call ended and how many rows it had before <c>keep</c>.</summary>
    public (CallEnd End, long Read) Replay(QuestionKey question, Action<string, JsonElement> row)
    {
        _file!.Seek(_places[question], SeekOrigin.Begin);
        while (_reader!.ReadBoolean())
            row(_reader.ReadString(), ReadJson());
        var (outcome, hasCode, code) = ((CollectionOutcome)_reader.ReadByte(), _reader.ReadBoolean(), _reader.ReadString());
        return (new(outcome, hasCode ? code : null, ReadJson()), _reader.ReadInt64());
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _reader?.Dispose();
        _file?.Dispose();
    }

    private void Write(JsonElement value)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value);
        _writer!.Write(raw.Length);
        _writer.Write(raw);
    }

    private JsonElement ReadJson() => JsonElement.Parse(_reader!.ReadBytes(_reader.ReadInt32()), AnyDepth);

    private FileStream Open()
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            Options = FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        // The name goes at once, so that no interruption leaves the file in a bundle. Windows deletes it when the process ends.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }
}
