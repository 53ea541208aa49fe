using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>
/// A process that runs statements of users and knows nothing else: no connection string, no key, no setting but what a command brings. It may be ended at any moment.
/// DuckDB's memory limit does not cover the values that an expression makes, and an expression can't be interrupted: only the end of a process bounds both.
/// </summary>
public static class SqlWorker
{
    /// <summary>The only argument of the program that makes it a worker.</summary>
    public const string Argument = "sql-worker";

    /// <summary>Reads commands from standard input until it ends, and answers on standard output.</summary>
    public static int Run()
    {
        using var output = Console.OpenStandardOutput();
        using var commands = new BlockingCollection<string>();
        new Thread(() => ReadCommands(commands)) { IsBackground = true }.Start();
        using var parser = new SqlParser();
        string? statement = null;
        foreach (var line in commands.GetConsumingEnumerable())
        {
            var command = JsonSerializer.Deserialize(line, SqlJsonContext.Default.SqlCommand)!;
            try
            {
                if (command.Check is { } text)
                    Write(output, SqlFrameKind.Checked, parser.Check(statement = text), SqlJsonContext.Default.SqlChecked);
                else
                    Write(output, SqlFrameKind.Ended, SqlExecution.Run(statement!, command.Run!, (kind, content) => Write(output, kind, content.Span)), SqlJsonContext.Default.SqlEnded);
            }
            catch (SqlFailure failure)
            {
                Write(output, SqlFrameKind.Failed, failure.Failed, SqlJsonContext.Default.SqlFailed);
            }
            catch (OutOfMemoryException)
            {
                Write(output, SqlFrameKind.Failed, new(SqlFailureKind.TooLarge, "Out of memory."), SqlJsonContext.Default.SqlFailed);
            }
        }

        return 0;
    }

    /// <summary>On a thread of its own: when the parent ends, a running statement ends too.</summary>
    private static void ReadCommands(BlockingCollection<string> commands)
    {
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        while (input.ReadLine() is { } line)
            commands.Add(line);
        Environment.Exit(0);
    }

    private static void Write<T>(Stream output, SqlFrameKind kind, T content, JsonTypeInfo<T> type) => Write(output, kind, JsonSerializer.SerializeToUtf8Bytes(content, type));

    private static void Write(Stream output, SqlFrameKind kind, ReadOnlySpan<byte> content)
    {
        Span<byte> header = stackalloc byte[SqlFrame.HeaderLength];
        header[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], content.Length);
        output.Write(header);
        output.Write(content);
        output.Flush();
    }
}
