using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.Bench.ClickHouse;

/// <summary>The peer of the whole: a ClickHouse server in a process of its own over a temporary folder, with a table of the event's columns and a view that sums windows of five minutes.</summary>
internal sealed class ClickHouseServer : IAsyncDisposable
{
    public const string HowToGet = "apt-get install clickhouse-server (Debian), or --clickhouse PATH";

    // Nullable where an event may lack it; plain strings, which take the least time to write. A part for each request is no reason to slow down: the bench is short.
    private const string Table = """
        CREATE TABLE events (
          transaction_id String, transaction_timestamp DateTime, amount Decimal(18, 4), currency String, payment_method String, payment_status String,
          customer_id Nullable(String), customer_email Nullable(String), customer_country Nullable(String), merchant_id Nullable(String), merchant_name Nullable(String), merchant_category Nullable(String),
          transaction_type Nullable(String), channel Nullable(String), device_type Nullable(String), violation_severity Nullable(String), raw String)
        ENGINE = MergeTree PARTITION BY toYYYYMM(transaction_timestamp) ORDER BY (transaction_timestamp, transaction_id)
        """;

    private const string View = """
        CREATE MATERIALIZED VIEW figures ENGINE = SummingMergeTree PARTITION BY toYYYYMM(window_start) ORDER BY (window_start, payment_method, currency, payment_status)
        AS SELECT toStartOfFiveMinute(transaction_timestamp) AS window_start, payment_method, currency, payment_status, count() AS events, sum(amount) AS total
        FROM events GROUP BY window_start, payment_method, currency, payment_status
        """;

    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MergeDeadline = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly string _directory = Directory.CreateTempSubdirectory("clickhouse-bench-").FullName;
    private readonly Process _process;
    private volatile string _lastError = "it said nothing";

    private ClickHouseServer(string program)
    {
        var (http, tcp) = Ports();
        Http.BaseAddress = new($"http://127.0.0.1:{http}/");
        var config = Path.Combine(_directory, "config.xml");
        File.WriteAllText(config, Configuration(_directory, http, tcp));
        File.WriteAllText(Path.Combine(_directory, "users.xml"), Users);
        string[] server = Path.GetFileName(program) == "clickhouse" ? ["server"] : [];
        _process = Process.Start(new ProcessStartInfo(program, [.. server, $"--config-file={config}"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _directory })!;
        _process.ErrorDataReceived += (_, line) => _lastError = line.Data ?? _lastError;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public HttpClient Http { get; } = new() { Timeout = AnswerDeadline };

    /// <summary>Where events are posted, as NDJSON.</summary>
    public Uri Insert => new(Http.BaseAddress!, "?query=INSERT%20INTO%20events%20FORMAT%20JSONEachRow&input_format_skip_unknown_fields=1&date_time_input_format=best_effort");

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <param name="path">What the caller says; null looks along the PATH and where Debian puts servers.</param>
    /// <returns>Null when it is not there.</returns>
    public static string? Find(string? path) => path is not null
        ? File.Exists(path) ? Path.GetFullPath(path) : null
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
            .SelectMany(folder => (string[])[Path.Combine(folder, "clickhouse-server"), Path.Combine(folder, "clickhouse")]).FirstOrDefault(File.Exists);

    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public static async Task<ClickHouseServer> StartAsync(string program)
    {
        var server = new ClickHouseServer(program);
        try
        {
            await server.WaitAsync(server.AnswersAsync, AnswerDeadline, "does not answer");
            await server.AskAsync(Table);
            await server.AskAsync(View);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <returns>The answer without its last line end.</returns>
    public async Task<string> AskAsync(string sql)
    {
        using var body = new StringContent(sql);
        using var response = await Http.PostAsync("", body);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? text.TrimEnd('\n') : throw new InvalidOperationException($"ClickHouse refuses {sql.Split('\n')[0]}: {text}");
    }

    /// <summary>Until it has merged what it wants to merge now.</summary>
    public Task WaitUntilMergedAsync() => WaitAsync(async () => await AskAsync("SELECT count() FROM system.merges") == "0", MergeDeadline, "merges without an end");

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return await Http.GetStringAsync("") is not null;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task WaitAsync(Func<Task<bool>> condition, TimeSpan deadline, string fault)
    {
        using var timer = new PeriodicTimer(PollInterval);
        for (var clock = Stopwatch.StartNew(); !await condition(); await timer.WaitForNextTickAsync())
        {
            if (_process.HasExited || clock.Elapsed > deadline)
                throw new InvalidOperationException($"ClickHouse {(_process.HasExited ? $"ended with {_process.ExitCode}" : fault)}: {LastWords()}");
        }
    }

    private string LastWords()
    {
        var log = Path.Combine(_directory, "error.log");
        return File.Exists(log) ? string.Join(" | ", File.ReadLines(log).TakeLast(3)) : _lastError;
    }

    /// <summary>Two that are free now.</summary>
    private static (int Http, int Tcp) Ports()
    {
        using TcpListener http = new(IPAddress.Loopback, 0), tcp = new(IPAddress.Loopback, 0);
        http.Start();
        tcp.Start();
        return (((IPEndPoint)http.LocalEndpoint).Port, ((IPEndPoint)tcp.LocalEndpoint).Port);
    }

    private static string Configuration(string directory, int http, int tcp) => $"""
        <yandex>
          <logger><level>warning</level><log>{directory}/server.log</log><errorlog>{directory}/error.log</errorlog></logger>
          <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host><keep_alive_timeout>60</keep_alive_timeout>
          <path>{directory}/data/</path><tmp_path>{directory}/tmp/</tmp_path><user_files_path>{directory}/files/</user_files_path><format_schema_path>{directory}/schemas/</format_schema_path>
          <users_config>{directory}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
          <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>
          <merge_tree><parts_to_delay_insert>3000</parts_to_delay_insert><parts_to_throw_insert>6000</parts_to_throw_insert></merge_tree>
        </yandex>
        """;

    private const string Users = """
        <yandex>
          <profiles><default></default></profiles>
          <users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
          <quotas><default></default></quotas>
        </yandex>
        """;
}
