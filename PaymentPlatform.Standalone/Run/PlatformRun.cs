using Azure.Storage.Blobs;
using Microsoft.Extensions.Options;
using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.Standalone.Logging;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Standalone.Run;

/// <summary>One run: servers, schema, services, and the same backwards.</summary>
internal static partial class PlatformRun
{
    public static async Task<int> RunAsync(RunOptions options)
    {
        var joined = options.Connections is { } file ? Path.GetFullPath(file) : null;
        var data = Path.GetFullPath(options.Data ?? (joined is null ? RunOptions.DefaultData : Path.GetDirectoryName(joined)!));
        var logFile = Path.Combine(data, "logs", joined is null ? "platform.log" : $"platform-{Environment.ProcessId}.log");
        using var signals = new StopSignals();
        RollingFileLog? log = null;
        try
        {
            using var port = HttpPort.Take(options);
            var connections = joined is null ? null : PlatformConnections.Read(joined);
            var listen = await CheckConfigurationAsync(options, port.Number, data);
            log = OpenLog(logFile, data);
            await using var servers = connections is null ? await LocalPlatform.StartAsync(new() { DataDirectory = data, Progress = new ConsoleProgress() }, signals.Token) : null;
            connections ??= new(listen.Url(port.Number), servers!.DatabaseConnectionString, servers.BlobConnectionString);
            var exitCode = await ServeAsync(options, connections, port, data, log, signals.Token);
            if (servers is not null)
                Console.WriteLine("Stopping Azurite and PostgreSQL…");
            return exitCode;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception exception)
        {
            var fault = StartFaultException.From(exception, logFile);
            // It names the log for more.
            if (fault.IsUnexpected)
                log ??= TryOpenLog(logFile);
            return await fault.TellAsync(log, exception);
        }
        finally
        {
            if (log is not null)
                await log.DisposeAsync();
        }
    }

    /// <exception cref="StartFaultException">The data folder can't be written.</exception>
    public static RollingFileLog OpenLog(string file, string data)
    {
        try
        {
            return new RollingFileLog(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartFaultException($"The data folder {data} can't be written ({OneLine.Of(exception.Message)}): choose another with --data DIR.", PlatformCommandLine.Fault, exception);
        }
    }

    private static RollingFileLog? TryOpenLog(string file)
    {
        try
        {
            return new RollingFileLog(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Wrong options are said before the servers are set up, and before anything is written: a start that is refused leaves nothing behind.</summary>
    private static async Task<ListenAddress> CheckConfigurationAsync(RunOptions options, int port, string data)
    {
        await using var app = ServiceHost.Compose(options, new($"http://127.0.0.1:{port}", "Host=127.0.0.1", "UseDevelopmentStorage=true"), port, data, log: null);
        app.Services.GetService<IStartupValidator>()?.Validate();
        return app.Services.GetRequiredService<ListenAddress>();
    }

    private static async Task<int> ServeAsync(RunOptions options, PlatformConnections connections, HttpPort port, string data, RollingFileLog log, CancellationToken stop)
    {
        await using var app = ServiceHost.Compose(options, connections, port.Number, data, log);
        await PrepareStorageAsync(app.Services, connections, stop);
        var connectionsFile = options.Connections is null ? Path.Combine(data, PlatformConnections.FileName) : null;
        try
        {
            // Before the port answers: who sees it ready finds the file.
            if (connectionsFile is not null)
                connections.Write(connectionsFile);
            port.Dispose();
            await app.StartAsync(stop);
            LogStarted(app.Logger, port.Number, string.Join(',', options.Services));
            WhereToLook.Print(app, options, connections, port.Number, connectionsFile, log.File);

            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop, app.Lifetime.ApplicationStopping);
            await Task.Delay(Timeout.Infinite, ended.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
        finally
        {
            if (connectionsFile is not null)
                File.Delete(connectionsFile);
            if (app.Lifetime.ApplicationStarted.IsCancellationRequested)
                Console.WriteLine("Stopping the services…");
            await app.StopAsync(CancellationToken.None);
            LogStopped(app.Logger);
        }

        if (stop.IsCancellationRequested)
            return 0;
        await Console.Error.WriteLineAsync($"A service failed and the platform stopped: see {log.File}");
        return PlatformCommandLine.Fault;
    }

    private static async Task PrepareStorageAsync(IServiceProvider services, PlatformConnections connections, CancellationToken cancellationToken)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(PlatformRun).FullName!);
        await using (var database = Npgsql.NpgsqlDataSource.Create(new Npgsql.NpgsqlConnectionStringBuilder(connections.Paymentsdb) { MaxPoolSize = 4 }))
            await DatabaseMigrator.MigrateAsync(database, logger, cancellationToken);
        var container = services.GetService<IOptions<HybridConnectionOptions>>()?.Value.Container ?? new HybridConnectionOptions().Container;
        await new BlobServiceClient(connections.Blobs, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05)).GetBlobContainerClient(container).CreateIfNotExistsAsync(cancellationToken: cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Platform started on port {Port} with {Services}")]
    private static partial void LogStarted(ILogger logger, int port, string services);

    [LoggerMessage(Level = LogLevel.Information, Message = "Platform services stopped")]
    private static partial void LogStopped(ILogger logger);

    private sealed class ConsoleProgress : IProgress<string>
    {
        public void Report(string value) => Console.WriteLine(value);
    }
}
