using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Npgsql;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>PostgreSQL on a loopback port with a password of its own. Durability settings stay at PostgreSQL's safe defaults.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string MajorVersion = "18";
    private const string User = "payments";
    private const string Database = "paymentsdb";

    private readonly SupervisedServer _server;

    private PostgresServer(SupervisedServer server, string connectionString)
    {
        _server = server;
        ConnectionString = connectionString;
    }

    public string ConnectionString { get; }

    public static async Task<PostgresServer> StartAsync(NodeTools tools, string directory, LocalInfrastructureOptions options, CancellationToken cancellationToken)
    {
        var cluster = Path.Combine(directory, "data");
        await CheckVersionAsync(cluster, cancellationToken);
        Directory.CreateDirectory(directory);
        await LeftoverProcess.StopAsync("PostgreSQL", Path.Combine(cluster, "postmaster.pid"), commandPart: cluster, signal: LeftoverProcess.Interrupt, cancellationToken);

        var passwordFile = Path.Combine(directory, "password");
        if (!Directory.Exists(cluster))
            WriteSecret(passwordFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        var account = await FindAccountAsync(tools, directory, cancellationToken);
        if (!Directory.Exists(cluster))
            await InitializeAsync(tools, cluster, passwordFile, account, options.Progress, cancellationToken);
        if (!File.Exists(passwordFile))
            throw new LocalPlatformException($"{passwordFile} is missing, and with it the way into the database. Restore it, or move {directory} away to start empty.");
        var password = (await File.ReadAllTextAsync(passwordFile, cancellationToken)).Trim();

        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Take(Path.Combine(directory, "port"), another: attempt > 1);
            var server = SupervisedServer.Start("PostgreSQL", Path.Combine(directory, "postgres.log"), Specification(tools, cluster, port, account, options));
            try
            {
                var connection = new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = port, Username = User, Password = password, Database = "postgres", Pooling = false, Timeout = 5 };
                await server.WaitUntilReadyAsync(token => AnswersAsync(connection.ConnectionString, token), cancellationToken);
                await CreateDatabaseAsync(connection.ConnectionString, cancellationToken);
                return new(server, new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = port, Username = User, Password = password, Database = Database }.ConnectionString);
            }
            catch (ServerEndedException exception)
            {
                await server.DisposeAsync();
                var portWasTaken = exception.LastWords.Contains("could not bind") || exception.LastWords.Contains("Address already in use");
                // Processes of a server that was killed need a moment to notice.
                var predecessorIsLeaving = exception.LastWords.Contains("shared memory block") || exception.LastWords.Contains("lock file");
                if (attempt == 20 || !(portWasTaken || predecessorIsLeaving))
                    throw new LocalPlatformException(exception.Message, exception);
                await Task.Delay(500, cancellationToken);
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task CheckVersionAsync(string cluster, CancellationToken cancellationToken)
    {
        var file = Path.Combine(cluster, "PG_VERSION");
        if (!Directory.Exists(cluster))
            return;
        var version = File.Exists(file) ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : "";
        if (version.Length == 0)
            throw new LocalPlatformException($"{cluster} is not a PostgreSQL data folder (it has no PG_VERSION). Move it away, or choose another folder with --data.");
        if (version != MajorVersion)
            throw new LocalPlatformException($"{cluster} was made by PostgreSQL {version}, and this is PostgreSQL {MajorVersion}. Choose another folder with --data, or bring its data over with pg_dump of version {version} first.");
    }

    /// <summary>PostgreSQL refuses to run as root: the account to run it as, in the form of node/supervise.js.</summary>
    private static async Task<JsonObject> FindAccountAsync(NodeTools tools, string directory, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
            return [];
        var found = await ToolProcess.RunAsync("node", [NodeTools.Script("account.js"), tools.PostgresBinary("postgres"), directory], null, null, cancellationToken);
        if (found.ExitCode != 0)
            throw new LocalPlatformException($"PostgreSQL does not run as root, and the user 'nobody' can't reach {directory} or {tools.PostgresBinary("postgres")}. Run as another user, or choose folders below one that everybody may enter (--data, PLATFORM_HOME).");
        return JsonNode.Parse(found.Output)!.AsObject();
    }

    private static async Task InitializeAsync(NodeTools tools, string cluster, string passwordFile, JsonObject account, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        progress?.Report("Making the database…");
        // Made beside its place and moved when whole: a start that was cut off leaves nothing half made.
        var unfinished = cluster + ".new";
        var result = await ToolProcess.RunAsync(
            "node",
            [
                NodeTools.Script("initdb.js"), account.ToJsonString(), Path.GetDirectoryName(cluster)!, unfinished, cluster,
                tools.PostgresBinary("initdb"), "-D", unfinished, "-U", User, "-A", "scram-sha-256", $"--pwfile={passwordFile}", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-instructions",
            ],
            null, null, cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPlatformException($"The database could not be made in {cluster}: {result.LastLine}");
    }

    private static JsonObject Specification(NodeTools tools, string cluster, int port, JsonObject account, LocalInfrastructureOptions options)
    {
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"port={port}", "unix_socket_directories=", $"max_connections={options.MaxConnections}",
            "shared_buffers=128MB", "max_wal_size=2GB", "checkpoint_timeout=15min", "logging_collector=off",
        ];
        var arguments = new JsonArray("-D", cluster);
        foreach (var setting in settings.Where(s => !OperatingSystem.IsWindows() || !s.StartsWith("unix_", StringComparison.Ordinal)))
        {
            arguments.Add("-c");
            arguments.Add(setting);
        }

        var specification = new JsonObject
        {
            ["command"] = tools.PostgresBinary("postgres"),
            ["args"] = arguments,
            ["stop"] = "SIGINT",
            ["account"] = account.DeepClone(),
            ["cwd"] = Path.GetDirectoryName(cluster),
        };
        if (OperatingSystem.IsWindows())
            specification["stopCommand"] = new JsonArray(tools.PostgresBinary("pg_ctl"), "stop", "-D", cluster, "-m", "fast", "-W");
        return specification;
    }

    private static async Task<bool> AnswersAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InvalidPassword)
        {
            throw new LocalPlatformException("The database refuses its own password: the file 'password' does not belong to this data folder.", exception);
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static async Task CreateDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var exists = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = $1", connection) { Parameters = { new() { Value = Database } } };
        if (await exists.ExecuteScalarAsync(cancellationToken) is not null)
            return;
        await using var create = new NpgsqlCommand($"CREATE DATABASE {Database}", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void WriteSecret(string path, string secret)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(secret);
    }
}
