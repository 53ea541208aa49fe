using Npgsql;

namespace PaymentPlatform.Standalone.Run;

/// <summary>What the person at the keyboard can do next.</summary>
internal static class WhereToLook
{
    public static void Print(WebApplication app, RunOptions options, PlatformConnections connections, int port, string? connectionsFile, string logFile)
    {
        var here = app.Services.GetRequiredService<ListenAddress>().Url(port);
        var (signIn, key) = app.CallsNeedCredential() ? (" (a key is the password, any user name will do)", "-H \"X-Api-Key: $KEY\" ") : ("", "");
        Console.WriteLine($"PaymentPlatform runs ({string.Join(", ", options.Services).ToLowerInvariant()}).");
        if (options.Services.Contains(PlatformService.Query))
            Console.WriteLine($"  page      {here}/{signIn}");
        if (options.Services.Contains(PlatformService.Ingest))
            Console.WriteLine($"  send      curl {key}-H 'Content-Type: application/x-ndjson' --data-binary @FILE {here}/v1/transactions");
        Console.WriteLine($"  health    {here}/health");
        if (connectionsFile is not null)
        {
            var database = new NpgsqlConnectionStringBuilder(connections.Paymentsdb);
            var password = Shorten(Path.Combine(Path.GetDirectoryName(connectionsFile)!, "postgres", "password"));
            // No psql is brought along.
            Console.WriteLine(HasOnPath("psql")
                ? $"  database  PGPASSWORD=$(cat {password}) psql -h {database.Host} -p {database.Port} -U {database.Username} {database.Database}"
                : $"  database  postgresql://{database.Username}@{database.Host}:{database.Port}/{database.Database}, with the password in {password}");
            Console.WriteLine($"  join      ./platform run --services archiver,metrics --connections {Shorten(connectionsFile)}");
        }

        Console.WriteLine($"  log       {Shorten(logFile)}");
        Console.WriteLine("Ctrl+C stops it.");
    }

    private static bool HasOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));

    private static string Shorten(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
