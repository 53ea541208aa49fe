using Azure.Storage.Blobs;
using Npgsql;
using PaymentPlatform.Faults.Proxies;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Instances;

/// <summary>What all instances of a run share: the database, the container and what is noted about them. The ways here pass no proxy.</summary>
internal sealed record RunPlace(Scenario Scenario, FaultTally Tally, string DatabaseConnectionString, string BlobConnectionString, string Container)
{
    public BlobObserver Observer { get; } = new();

    public RunLog Log { get; } = new();

    public BlobContainerClient Blobs { get; } = new BlobServiceClient(BlobConnectionString, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05)).GetBlobContainerClient(Container);

    public NpgsqlDataSource Database { get; } = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(DatabaseConnectionString) { MaxPoolSize = 6, ApplicationName = "faults" }.ConnectionString);

    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
