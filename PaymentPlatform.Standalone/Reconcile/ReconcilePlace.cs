using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.Standalone.Run;

namespace PaymentPlatform.Standalone.Reconcile;

/// <summary>The stores to compare: those of a running platform, or servers that were started for it.</summary>
internal sealed class ReconcilePlace(PlatformConnections connections, LocalPlatform? servers) : IAsyncDisposable
{
    public PlatformConnections Connections => connections;

    /// <param name="given">Of a running platform; null looks whether one runs on the data folder.</param>
    public static async Task<ReconcilePlace> OpenAsync(string data, PlatformConnections? given, CancellationToken cancellationToken)
    {
        if (given is not null)
            return new(given, null);
        var file = Path.Combine(data, PlatformConnections.FileName);
        try
        {
            var servers = await LocalPlatform.StartAsync(new() { DataDirectory = data, Progress = new ErrorLines() }, cancellationToken);
            // Nothing is served: the address stands for none.
            return new(new("http://127.0.0.1:0", servers.DatabaseConnectionString, servers.BlobConnectionString), servers);
        }
        catch (LocalPlatformException exception) when (exception.IsInUse && File.Exists(file))
        {
            return new(PlatformConnections.Read(file), null);
        }
    }

    public ValueTask DisposeAsync() => servers?.DisposeAsync() ?? ValueTask.CompletedTask;
}
