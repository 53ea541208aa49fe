using System.Text;
using System.Threading.Channels;

namespace PaymentPlatform.Standalone.Logging;

/// <summary>
/// A log file that moves to <c>.1</c>, <c>.2</c> … when it is full. Writers never wait: past a backlog of <see cref="Backlog"/> lines, lines are dropped and counted.
/// </summary>
internal sealed class RollingFileLog : IAsyncDisposable
{
    private const int Backlog = 10_000;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Backlog) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly long _limitBytes;
    private readonly int _kept;
    private readonly Task _writing;
    private FileStream _stream;
    private long _dropped;

    /// <param name="kept">How many full files are kept.</param>
    /// <exception cref="IOException">The file can't be written.</exception>
    public RollingFileLog(string file, long limitBytes = 20L << 20, int kept = 4)
    {
        File = file;
        _limitBytes = limitBytes;
        _kept = kept;
        CreateOwnDirectory(Path.GetDirectoryName(file)!);
        _stream = Open();
        _writing = Task.Run(WriteAsync);
    }

    public string File { get; }

    public void Write(string line)
    {
        if (!_lines.Writer.TryWrite(line))
            Interlocked.Increment(ref _dropped);
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
        await _stream.DisposeAsync();
    }

    private async Task WriteAsync()
    {
        var buffer = new MemoryStream();
        while (await _lines.Reader.WaitToReadAsync())
        {
            while (buffer.Length < 1 << 20 && _lines.Reader.TryRead(out var line))
                Append(buffer, line);
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                Append(buffer, $"{{\"Message\":\"{dropped} log lines were dropped\"}}");
            try
            {
                if (_stream.Length > 0 && _stream.Length + buffer.Length > _limitBytes)
                    Roll();
                buffer.Position = 0;
                await buffer.CopyToAsync(_stream);
                await _stream.FlushAsync();
            }
            catch (IOException)
            {
                // A full disk must not end the platform for the sake of its log.
            }

            buffer.SetLength(0);
        }
    }

    private void Roll()
    {
        _stream.Dispose();
        for (var number = _kept - 1; number >= 0; number--)
        {
            var from = number == 0 ? File : $"{File}.{number}";
            if (System.IO.File.Exists(from))
                System.IO.File.Move(from, $"{File}.{number + 1}", overwrite: true);
        }

        _stream = Open();
    }

    private FileStream Open() => new(File, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private static void Append(MemoryStream buffer, string line)
    {
        buffer.Write(Encoding.UTF8.GetBytes(line));
        buffer.WriteByte((byte)'\n');
    }

    private static void CreateOwnDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory);
        else
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
