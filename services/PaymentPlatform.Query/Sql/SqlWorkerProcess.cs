using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Query.Sql.Worker;

namespace PaymentPlatform.Query.Sql;

/// <summary>A worker: this program once more, with <see cref="SqlWorker.Argument"/>, and with nothing of this process's environment but what .NET needs.</summary>
internal sealed class SqlWorkerProcess : IDisposable
{
    private static readonly string[] Environment =
        ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "windir", "USERPROFILE", "DOTNET_ROOT", "DOTNET_ROOT_X64", "DOTNET_ROOT_ARM64", "DOTNET_HOST_PATH", "DOTNET_ROLL_FORWARD"];

    private readonly Process _process;
    private readonly byte[] _header = new byte[SqlFrame.HeaderLength];
    private readonly StringBuilder _errors = new();

    private SqlWorkerProcess(Process process)
    {
        _process = process;
        // A crash writes its stack here; the pipe must not fill up.
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                // The end of the stream comes as a line that is null.
                if (line.Data is { Length: > 0 } text && _errors.Length < 4096)
                    _errors.AppendLine(text);
            }
        };
        process.BeginErrorReadLine();
    }

    /// <summary>Bytes of memory that it has now; 0 when it has ended.</summary>
    public long Memory
    {
        get
        {
            try
            {
                _process.Refresh();
                return _process.WorkingSet64;
            }
            catch (InvalidOperationException)
            {
                return 0;
            }
        }
    }

    public bool HasEnded => _process.HasExited;

    /// <summary>The beginning of what it said on standard error.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    public static SqlWorkerProcess Start(string directory)
    {
        var assembly = typeof(SqlWorkerProcess).Assembly.Location;
        var start = new ProcessStartInfo(DotNet, [assembly, SqlWorker.Argument])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            WorkingDirectory = directory,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        var kept = start.Environment.Where(v => Environment.Contains(v.Key, StringComparer.OrdinalIgnoreCase)).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in kept)
            start.Environment.Add(name, value);
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        return new(Process.Start(start)!);
    }

    public async Task SendAsync(SqlCommand command)
    {
        await _process.StandardInput.BaseStream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(command, SqlJsonContext.Default.SqlCommand));
        await _process.StandardInput.BaseStream.WriteAsync("\n"u8.ToArray());
        await _process.StandardInput.BaseStream.FlushAsync();
    }

    /// <exception cref="EndOfStreamException">It has ended.</exception>
    public async Task<SqlFrame> ReadAsync()
    {
        await _process.StandardOutput.BaseStream.ReadExactlyAsync(_header);
        var length = BinaryPrimitives.ReadInt32LittleEndian(_header.AsSpan(1));
        if (length is < 0 or > SqlFrame.MaxLength)
            throw new EndOfStreamException("The worker said something else.");
        var content = new byte[length];
        await _process.StandardOutput.BaseStream.ReadExactlyAsync(content);
        return new((SqlFrameKind)_header[0], content);
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The dotnet that runs us; as an executable of our own we find it by its name.</summary>
    private static string DotNet => System.Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
}
