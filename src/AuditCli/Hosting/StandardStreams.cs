using System.Runtime.InteropServices;
using System.Text;
using AuditCli.Evidence;
using AuditCli.Text;
using Microsoft.Win32.SafeHandles;

namespace AuditCli.Hosting;

/// <summary>
/// The stdout and stderr of the process. They may be closed, full or broken; that must not end a run that has collected evidence, and must
/// not change its conclusions.
/// </summary>
internal sealed class StandardStreams : IDisposable
{
    private const int Output = 1;
    private const int Error = 2;
    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly List<SafeFileHandle> _fillers;

    private StandardStreams(StandardStream output, StandardStream error, List<SafeFileHandle> fillers)
    {
        (OutputBytes, _fillers) = (output, fillers);
        OutputText = Text(output, Console.IsOutputRedirected);
        ErrorText = Text(error, Console.IsErrorRedirected);
    }

    public TerminalText OutputText { get; }

    public TerminalText ErrorText { get; }

    /// <summary>Stdout for bytes, for example a raw body.</summary>
    public StandardStream OutputBytes { get; }

    /// <summary>Opens the streams. Must be called before the process opens any file.</summary>
    public static StandardStreams Open()
    {
        var output = new StandardStream(IsOpen(Output) ? Console.OpenStandardOutput() : null);
        var error = new StandardStream(IsOpen(Error) ? Console.OpenStandardError() : null);
        return new(output, error, Fill());
    }

    /// <summary>Writes ASCII text to stderr without loading any assembly.</summary>
    public static void Warn(string text)
    {
        if (OperatingSystem.IsWindows() || !IsOpen(Error))
            return;
        var bytes = new byte[text.Length];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)text[i];
        _ = WriteDirectly(Error, bytes, bytes.Length);
    }

    public void Dispose()
    {
        OutputText.Flush();
        ErrorText.Flush();
        foreach (var filler in _fillers)
            filler.Dispose();
    }

    /// <summary>Creates a writer in the terminal's encoding; files and pipes get UTF-8, independent of the locale.</summary>
    private static TerminalText Text(Stream stream, bool isRedirected)
    {
        var encoding = isRedirected || Console.OutputEncoding.CodePage == Utf8.CodePage ? Utf8 : Console.OutputEncoding;
        return new(TextWriter.Synchronized(new StreamWriter(stream, encoding) { AutoFlush = true }));
    }

    /// <summary>
    /// Whether the process was started with a stream of that number. An inherited stream does not have the close-on-exec flag; a file that
    /// the runtime opened on the number of a closed stream has it.
    /// </summary>
    private static bool IsOpen(int number) =>
        OperatingSystem.IsWindows() || (Control(number, GetDescriptorFlags) is >= 0 and var flags && (flags & CloseOnExec) == 0);

    /// <summary>
    /// Occupies the numbers of closed streams. Otherwise the next file that is opened would get such a number, and output of a library
    /// would be written into it.
    /// </summary>
    private static List<SafeFileHandle> Fill()
    {
        var fillers = new List<SafeFileHandle>();
        if (OperatingSystem.IsWindows())
            return fillers;
        while (true)
        {
            var filler = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (filler.DangerousGetHandle() > Error)
            {
                filler.Dispose();
                return fillers;
            }
            fillers.Add(filler);
        }
    }

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, int command);

    [DllImport("libc", EntryPoint = "write", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint WriteDirectly(int descriptor, byte[] bytes, nint length);
}

/// <summary>
/// A stream that accepts every write. Data that cannot be written is discarded, and <see cref="Lost"/> holds the reason. A reader that
/// closed its pipe, as <c>head</c> does, does not count as a loss.
/// </summary>
/// <param name="stream">The underlying stream; null if there is none.</param>
internal sealed class StandardStream(Stream? stream) : WriteOnlyStream
{
    private bool _wasWritten;

    /// <summary>Why data was discarded; null if none was.</summary>
    public string? Lost { get => field ?? (stream is null && _wasWritten ? "it is closed" : null); private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _wasWritten |= !buffer.IsEmpty;
        if (stream is null || Lost is not null)
            return;
        try
        {
            stream.Write(buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Lost = e.Message;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>Does nothing, because writes are not buffered.</summary>
    public override void Flush()
    {
    }
}
