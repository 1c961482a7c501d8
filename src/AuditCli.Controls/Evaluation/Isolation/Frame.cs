using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>The kinds of messages between the two processes.</summary>
internal enum FrameKind : byte
{
    /// <summary>From the child: it is ready for jobs (<see cref="Readiness"/>).</summary>
    Ready = 1,

    /// <summary>From the parent: the evaluation to which the following slices belong (<see cref="ControlQuestion"/>).</summary>
    Question,

    /// <summary>From the parent: run one slice (<see cref="SliceJob"/>).</summary>
    Slice,

    /// <summary>From the parent: check a control's SQL without evidence (<see cref="CheckJob"/>).</summary>
    Check,

    /// <summary>From the parent: return the evidence that the SQL of a control's tests names (<see cref="CheckJob"/>).</summary>
    Evidence,

    /// <summary>From the child: the step that begins now, UTF-8.</summary>
    Step,

    /// <summary>From the child: two bytes with a test's index, then bytes of its rows.</summary>
    Rows,

    /// <summary>From the child: the response to the job, JSON.</summary>
    Answer,
}

/// <summary>
/// One message on a pipe: four bytes of length (little-endian, of what follows), one byte of kind, then the content.
/// </summary>
internal readonly record struct Frame(FrameKind Kind, ReadOnlyMemory<byte> Content)
{
    private const int HeadBytes = 5;

    /// <summary>The longest allowed content; a longer one was not written by this program.</summary>
    private const int LongestContent = 256 * 1024 * 1024;

    public static Frame Of<T>(FrameKind kind, T content, JsonTypeInfo<T> type) => new(kind, JsonSerializer.SerializeToUtf8Bytes(content, type));

    /// <summary>Deserialises the content.</summary>
    /// <exception cref="JsonException">The content is of another type.</exception>
    public T Read<T>(JsonTypeInfo<T> type) where T : class =>
        JsonSerializer.Deserialize(Content.Span, type) ?? throw new JsonException("a message is null");

    /// <exception cref="IOException">The pipe has no reader any more, or the content is too long.</exception>
    public async Task WriteAsync(Stream pipe, CancellationToken cancellationToken)
    {
        if (Content.Length > LongestContent)
            throw new IOException($"a message of {Content.Length} bytes is longer than {LongestContent}");
        var head = new byte[HeadBytes];
        BinaryPrimitives.WriteInt32LittleEndian(head, Content.Length + 1);
        head[HeadBytes - 1] = (byte)Kind;
        await pipe.WriteAsync(head, cancellationToken);
        await pipe.WriteAsync(Content, cancellationToken);
        await pipe.FlushAsync(cancellationToken);
    }

    /// <summary>Reads the next message; returns null at the pipe's end.</summary>
    /// <exception cref="EndOfStreamException">The pipe ends inside a message.</exception>
    /// <exception cref="InvalidDataException">The bytes are not a message.</exception>
    public static async Task<Frame?> ReadAsync(Stream pipe, CancellationToken cancellationToken)
    {
        var head = new byte[HeadBytes];
        var read = await pipe.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, cancellationToken);
        if (read == 0)
            return null;
        if (read < HeadBytes)
            throw new EndOfStreamException("the pipe ends inside a message");
        var length = BinaryPrimitives.ReadInt32LittleEndian(head) - 1;
        var kind = (FrameKind)head[HeadBytes - 1];
        if (length is < 0 or > LongestContent || !Enum.IsDefined(kind))
            throw new InvalidDataException("what came through the pipe is no message");
        var content = new byte[length];
        await pipe.ReadExactlyAsync(content, cancellationToken);
        return new(kind, content);
    }
}
