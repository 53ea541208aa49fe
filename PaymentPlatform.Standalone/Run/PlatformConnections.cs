using System.Text.Json;

namespace PaymentPlatform.Standalone.Run;

/// <summary>Where a running platform is reached; kept in <c>connections.json</c> while it runs. It holds the database's password.</summary>
/// <param name="Http">Base address of the services.</param>
/// <param name="Paymentsdb">Npgsql form.</param>
/// <param name="Blobs">Azure Storage form.</param>
internal sealed record PlatformConnections(string Http, string Paymentsdb, string Blobs)
{
    public const string FileName = "connections.json";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <exception cref="StartFaultException">No such file, or one that is not whole.</exception>
    public static PlatformConnections Read(string file)
    {
        try
        {
            var connections = JsonSerializer.Deserialize<PlatformConnections>(File.ReadAllBytes(file), Json);
            if (connections is { Http.Length: > 0, Paymentsdb.Length: > 0, Blobs.Length: > 0 })
                return connections;
            throw new StartFaultException($"{file} lacks one of http, paymentsdb and blobs: it must be the {FileName} of a running platform.", PlatformCommandLine.WrongUsage);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StartFaultException($"There is no {file}: no platform runs there. Start one with ./platform run first.", PlatformCommandLine.WrongUsage);
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new StartFaultException($"{file} can't be read: {exception.Message}", PlatformCommandLine.WrongUsage);
        }
    }

    /// <summary>For its owner's eyes, and whole from the first moment.</summary>
    public void Write(string file)
    {
        var unfinished = file + ".new";
        File.Delete(unfinished);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(unfinished, options))
            JsonSerializer.Serialize(stream, this, Json);
        File.Move(unfinished, file, overwrite: true);
    }
}
