using Azure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Migrator;

/// <summary>One run: the schema brought up to date, the archive's container made when it is missing, one line about it.</summary>
internal static partial class MigratorRun
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <returns>0, or 1 when something is not as it must be; the last line on <paramref name="error"/> says what.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        try
        {
            var builder = Host.CreateApplicationBuilder(args);
            builder.AddJobDefaults();
            builder.AddHybridStorage();
            builder.Services.AddCheckedOptions<MigratorOptions>(MigratorOptions.Section);
            using var host = builder.Build();
            // Started for its telemetry: what happened is exported before the process ends.
            await host.StartAsync(cancellationToken);
            var line = await MigrateAsync(host.Services, builder.Configuration, cancellationToken);
            await host.StopAsync(CancellationToken.None);
            await output.WriteLineAsync(line);
            return 0;
        }
        catch (Exception exception)
        {
            await error.WriteLineAsync($"Not migrated: {OneLine(exception)}");
            return 1;
        }
    }

    private static async Task<string> MigrateAsync(IServiceProvider services, IConfiguration configuration, CancellationToken cancellationToken)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(MigratorRun).FullName!);
        var wait = services.GetRequiredService<IOptions<MigratorOptions>>().Value.WaitForStores;
        var time = services.GetRequiredService<TimeProvider>();
        var database = services.GetRequiredService<NpgsqlDataSource>();
        await RetryAsync("the database", token => DatabaseMigrator.MigrateAsync(database, logger, token));
        if (string.IsNullOrWhiteSpace(configuration.GetConnectionString(BlobConnection.Name)))
            return $"The schema is at {DatabaseSchema.Newest}. The archive's container was left alone: ConnectionStrings__{BlobConnection.Name} is not set.";

        var container = services.GetRequiredService<HybridConnectionManager>().RawEvents;
        await RetryAsync("the blob store", new ArchiveBlobs(container).EnsureContainerAsync);
        return $"The schema is at {DatabaseSchema.Newest}, and the container {container.Name} exists.";

        async Task RetryAsync(string store, Func<CancellationToken, Task> work)
        {
            var began = time.GetTimestamp();
            while (true)
            {
                try
                {
                    await work(cancellationToken);
                    return;
                }
                catch (Exception exception) when (IsAway(exception) && time.GetElapsedTime(began) < wait)
                {
                    LogAway(logger, store, OneLine(exception));
                    await Task.Delay(s_pause, time, cancellationToken);
                }
            }
        }
    }

    private static bool IsAway(Exception exception) => exception is RequestFailedException { Status: 0 or >= 500 } or AggregateException { InnerException: RequestFailedException } || HybridConnectionManager.IsTransient(exception);

    /// <summary>The Azure SDK's messages go on for many lines.</summary>
    private static string OneLine(Exception exception)
    {
        var text = exception is AggregateException { InnerException: { } inner } ? inner.Message : exception.Message;
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end];
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for {Store}: {Fault}")]
    private static partial void LogAway(ILogger logger, string store, string fault);
}
