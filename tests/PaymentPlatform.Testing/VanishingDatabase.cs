using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Database;
using Xunit;

namespace PaymentPlatform.Testing;

/// <summary>A database that goes away while a service stops.</summary>
public static class VanishingDatabase
{
    /// <summary>Starts one of the background services of a host. The first connection that it opens stops it, and fails; its work must end without a fault all the same.</summary>
    /// <param name="builder">Of the host, with its services.</param>
    /// <param name="service">Name of its class.</param>
    /// <param name="prepare">Before the service is started: the database still answers.</param>
    public static async Task StopAsync(IHostApplicationBuilder builder, string connectionString, string service, Func<IServiceProvider, Task>? prepare = null)
    {
        BackgroundService? stopped = null;
        var source = new NpgsqlDataSourceBuilder(connectionString);
        source.UsePhysicalConnectionInitializer(
            _ => throw new NotSupportedException(),
            connection =>
            {
                if (stopped is null)
                    return Task.CompletedTask;
                _ = stopped.StopAsync(CancellationToken.None);
                throw new NpgsqlException("The database is away.");
            });
        await using var vanishing = source.Build();
        await using var lasting = NpgsqlDataSource.Create(connectionString);
        builder.Services.AddSingleton(vanishing);
        builder.Services.AddSingleton(provider => new SchemaGate(lasting, TimeProvider.System, provider.GetRequiredService<ILogger<SchemaGate>>()));
        await using var provider = ((ServiceCollection)builder.Services).BuildServiceProvider();
        var found = provider.GetServices<IHostedService>().OfType<BackgroundService>().Single(s => s.GetType().Name == service);
        if (prepare is not null)
            await prepare(provider);

        vanishing.Clear();
        stopped = found;
        await found.StartAsync(CancellationToken.None);
        Assert.Null(await Record.ExceptionAsync(() => found.ExecuteTask!.WaitAsync(TimeSpan.FromMinutes(1))));
    }
}
