using System.Text.Json.Nodes;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>Azurite's blob service.</summary>
internal sealed class AzuriteServer : IAsyncDisposable
{
    private readonly SupervisedServer _server;

    private AzuriteServer(SupervisedServer server, int port)
    {
        _server = server;
        // The emulator's public account and key, the same everywhere.
        ConnectionString = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;" +
            "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
            $"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;";
    }

    public string ConnectionString { get; }

    public static async Task<AzuriteServer> StartAsync(NodeTools tools, string directory, CancellationToken cancellationToken)
    {
        // The blobs hold payment events: nobody else reads them.
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory);
        else
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var pidFile = Path.Combine(directory, "azurite.pid");
        await LeftoverProcess.StopAsync("Azurite", pidFile, commandPart: tools.Azurite, signal: LeftoverProcess.Terminate, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Take(Path.Combine(directory, "port"), another: attempt > 1);
            var server = SupervisedServer.Start("Azurite", Path.Combine(directory, "azurite.log"), new JsonObject
            {
                ["command"] = "node",
                ["args"] = new JsonArray(
                    tools.Azurite, "--blobHost", "127.0.0.1", "--blobPort", port.ToString(), "--location", directory,
                    "--disableTelemetry", "--skipApiVersionCheck", "--silent"),
                ["stop"] = "SIGTERM",
                ["pidFile"] = pidFile,
            });
            try
            {
                await server.WaitUntilReadyAsync(token => AnswersAsync(port, token), cancellationToken);
                return new(server, port);
            }
            catch (ServerEndedException exception)
            {
                await server.DisposeAsync();
                if (attempt == 3 || !exception.LastWords.Contains("EADDRINUSE"))
                    throw new LocalPlatformException(exception.Message, exception);
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>Any answer with Azurite's name on it, also the refusal of a call without a key.</summary>
    private static async Task<bool> AnswersAsync(int port, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var response = await client.GetAsync($"http://127.0.0.1:{port}/devstoreaccount1?comp=list", cancellationToken);
            return response.Headers.Server.ToString().Contains("Azurite");
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
