using System.Buffers.Binary;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>Passes the rows of one test to the parent, in messages of a size that suits pipes.</summary>
internal sealed class RowPipe : WriteOnlyStream
{
    /// <summary>The size of the test's index, which precedes the rows in each message.</summary>
    public const int HeadBytes = sizeof(ushort);

    private readonly Stream _pipe;
    private readonly byte[] _message = new byte[64 * 1024];
    private int _used = HeadBytes;

    /// <param name="test">The test's index in its control.</param>
    public RowPipe(Stream pipe, ushort test)
    {
        _pipe = pipe;
        BinaryPrimitives.WriteUInt16LittleEndian(_message, test);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            if (_used == _message.Length)
                await FlushAsync(cancellationToken);
            var part = buffer[..Math.Min(buffer.Length, _message.Length - _used)];
            part.CopyTo(_message.AsMemory(_used));
            _used += part.Length;
            buffer = buffer[part.Length..];
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_used == HeadBytes)
            return;
        await new Frame(FrameKind.Rows, _message.AsMemory(0, _used)).WriteAsync(_pipe, cancellationToken);
        _used = HeadBytes;
    }

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override async ValueTask DisposeAsync()
    {
        await FlushAsync(CancellationToken.None);
        await base.DisposeAsync();
    }
}
