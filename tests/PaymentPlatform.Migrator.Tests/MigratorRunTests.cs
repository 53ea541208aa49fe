using Azure.Storage.Blobs;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Migrator.Tests;

public sealed class MigratorRunTests(PlatformFixture platform)
{
    private readonly string _container = $"raw-events-{Guid.NewGuid():N}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private BlobContainerClient Container =>
        new BlobServiceClient(platform.BlobConnectionString, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05)).GetBlobContainerClient(_container);

    [Fact]
    public async Task RunAsync_EmptyStores_MakesSchemaAndContainerAndSaysSo()
    {
        var database = await platform.CreateDatabaseAsync(migrate: false);
        var (exitCode, output, error) = await RunAsync(Settings(database));
        Assert.Equal((0, $"The schema is at {DatabaseSchema.Newest}, and the container {_container} exists.", ""), (exitCode, output, error));
        await using var source = NpgsqlDataSource.Create(database);
        Assert.Null(await DatabaseSchema.FindProblemAsync(source, Token));
        Assert.True(await Container.ExistsAsync(Token));
    }

    [Fact]
    public async Task RunAsync_SecondRun_ChangesNothingAndSucceeds()
    {
        var settings = Settings(await platform.CreateDatabaseAsync(migrate: false));
        var first = await RunAsync(settings);
        var blob = Container.GetBlobClient("kept");
        await blob.UploadAsync(BinaryData.FromString("x"), Token);
        Assert.Equal(first, await RunAsync(settings));
        Assert.True(await blob.ExistsAsync(Token));
    }

    [Fact]
    public async Task RunAsync_ManyAtOnce_AllSucceed()
    {
        var settings = Settings(await platform.CreateDatabaseAsync(migrate: false));
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunAsync(settings), Token)));
        Assert.All(runs, run => Assert.Equal((0, ""), (run.ExitCode, run.Error)));
    }

    [Fact]
    public async Task RunAsync_DatabaseOfANewerVersion_OneLineAndOne()
    {
        var database = await platform.CreateDatabaseAsync();
        await using (var source = NpgsqlDataSource.Create(database))
        await using (var command = source.CreateCommand("INSERT INTO schema_versions (scriptname, applied) VALUES ('9999_future.sql', now())"))
            await command.ExecuteNonQueryAsync(Token);
        var (exitCode, output, error) = await RunAsync(Settings(database));
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("Not migrated: The database was made by a newer version of PaymentPlatform: it has the migration 9999_future.sql", error);
        Assert.DoesNotContain('\n', error);
    }

    [Theory]
    [InlineData("ConnectionStrings:paymentsdb", "", "Not migrated: The connection string 'paymentsdb' is missing: set ConnectionStrings__paymentsdb.")]
    [InlineData("ConnectionStrings:paymentsdb", "Host=127.0.0.1;Port=1;Username=x;Database=x", "Not migrated: Failed to connect to 127.0.0.1:1")]
    [InlineData("ConnectionStrings:blobs", "nonsense", "Not migrated: The connection string 'blobs' can't be read")]
    [InlineData("Migrator:WaitForStores", "02:00:00", "Migrator:WaitForStores must lie between")]
    [InlineData("Storage:Container", "Not_A_Container", "Storage:Container must be a blob container name")]
    public async Task RunAsync_SomethingWrong_OneLineAndOne(string key, string value, string says)
    {
        var settings = Settings(await platform.CreateDatabaseAsync(migrate: false));
        settings[key] = value;
        var (exitCode, output, error) = await RunAsync(settings);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains(says, error);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public async Task RunAsync_BlobsNotSet_MigratesAndLeavesTheContainerAlone()
    {
        var settings = Settings(await platform.CreateDatabaseAsync(migrate: false));
        settings["ConnectionStrings:blobs"] = "";
        var (exitCode, output, error) = await RunAsync(settings);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.EndsWith("ConnectionStrings__blobs is not set.", output);
    }

    private Dictionary<string, string> Settings(string database) => new()
    {
        ["ConnectionStrings:paymentsdb"] = database,
        ["ConnectionStrings:blobs"] = platform.BlobConnectionString,
        ["Storage:Container"] = _container,
        ["Storage:MinPoolSize"] = "0",
        ["Migrator:WaitForStores"] = "00:00:00",
    };

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(Dictionary<string, string> settings)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await MigratorRun.RunAsync([.. settings.Select(s => $"--{s.Key}={s.Value}")], output, error, Token);
        return (exitCode, output.ToString().TrimEnd(), error.ToString().TrimEnd());
    }
}
