using System.Globalization;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>librdkafka's settings. Ours are defaults, the operator's go before them; what keeps events from being lost or counted twice is not for choice.</summary>
internal sealed class KafkaSettings
{
    /// <summary>Of key, ids and headers together: what a message may have beside its body.</summary>
    public const int MaxIdentitySize = 1 << 16;

    private const int MinBrokerSessionMilliseconds = 6000;

    private readonly KafkaOptions _options;
    private readonly StreamingOptions _streaming;
    private readonly Dictionary<string, string> _common;

    /// <param name="connectionString">The connection string <c>payments</c>.</param>
    /// <exception cref="FormatException">There is no address, or one that can't be read; the message is a whole sentence.</exception>
    public KafkaSettings(KafkaOptions options, StreamingOptions streaming, string? connectionString)
    {
        _options = options;
        _streaming = streaming;
        var (source, address) = options.BootstrapServers is { Length: > 0 } given ? ($"{KafkaOptions.Section}:{nameof(KafkaOptions.BootstrapServers)}", given) : ("ConnectionStrings:payments", connectionString);
        if (string.IsNullOrWhiteSpace(address))
            throw new FormatException("Streaming:Transport is Kafka, but there is no broker: set ConnectionStrings:payments to host:port (several separated by commas), or to an Event Hubs connection string.");
        try
        {
            _common = EventHubsConnectionString.Is(address) ? EventHubsConnectionString.ToSettings(address) : new() { ["bootstrap.servers"] = Addresses(address) };
        }
        catch (FormatException e)
        {
            throw new FormatException($"{source} is no address of Kafka brokers: {e.Message}. It must be host:port (several separated by commas), or an Event Hubs connection string.", e);
        }

        _common["client.id"] = "payment-platform";
        Address = options.Settings.GetValueOrDefault("bootstrap.servers", _common["bootstrap.servers"]);
        var largest = int.Parse(_common.GetValueOrDefault("message.max.bytes", int.MaxValue.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        MaxBodySize = Math.Min(options.MaxMessageBytes, largest - MaxIdentitySize);
    }

    /// <summary>What to name when the brokers can't be reached; holds no secret.</summary>
    public string Address { get; }

    public int MaxBodySize { get; }

    /// <summary>After which a consumer that does not poll is thrown out of its group.</summary>
    public TimeSpan MaxPollInterval =>
        TimeSpan.FromMilliseconds(int.TryParse(_options.Settings.GetValueOrDefault("max.poll.interval.ms"), CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds : 300_000);

    public Dictionary<string, string> Admin() => With([]);

    public Dictionary<string, string> Producer() => With(
        new()
        {
            ["enable.idempotence"] = "true",
            ["compression.type"] = "zstd",
            // The same key goes to the same partition as over the other transports (KeyPartitioner); no key, any partition.
            ["partitioner"] = "murmur2_random",
            ["sticky.partitioning.linger.ms"] = "0",
            ["linger.ms"] = "5",
            ["message.max.bytes"] = Text(MaxBodySize + MaxIdentitySize + 1024),
            ["message.timeout.ms"] = Text((long)_options.PublishTimeout.TotalMilliseconds),
            ["queue.buffering.max.messages"] = "1000000",
            ["queue.buffering.max.kbytes"] = Text(_options.QueueBytes >> 10),
            ["dotnet.producer.delivery.report.fields"] = "none",
        },
        ("acks", "all"));

    /// <param name="prefetchBytes">What librdkafka may hold by itself.</param>
    public Dictionary<string, string> Consumer(string consumerGroup, long prefetchBytes)
    {
        var session = Math.Max((long)_streaming.LeaseDuration.TotalMilliseconds, MinBrokerSessionMilliseconds);
        return With(
            new()
            {
                ["session.timeout.ms"] = Text(session),
                ["heartbeat.interval.ms"] = Text(session / 10),
                ["queued.min.messages"] = "10000000",
                ["queued.max.messages.kbytes"] = Text(Math.Max(prefetchBytes >> 10, 1024)),
                // The default of a second makes a reader that catches up wait most of the time: 38,000 events a second instead of 120,000 and more against the mock cluster.
                ["fetch.queue.backoff.ms"] = "10",
                ["fetch.error.backoff.ms"] = "100",
            },
            ("group.id", _options.GroupPrefix + consumerGroup),
            ("group.protocol", "classic"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // A position outside of the log is ours to judge: a gap, or another log.
            ("auto.offset.reset", "error"),
            ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"),
            ("allow.auto.create.topics", "false"));
    }

    private Dictionary<string, string> With(Dictionary<string, string> defaults, params ReadOnlySpan<(string Key, string Value)> settled)
    {
        foreach (var (key, value) in _common)
            defaults[key] = value;
        foreach (var (key, value) in _options.Settings)
            defaults[key] = value;
        foreach (var (key, value) in settled)
            defaults[key] = value;
        return defaults;
    }

    private static string Addresses(string text)
    {
        var addresses = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var address in addresses)
        {
            var colon = address.LastIndexOf(':');
            if (address.Contains('=') || address.Contains(';') || address.Contains("://") || (colon >= 0 && (colon == 0 || !ushort.TryParse(address.AsSpan(colon + 1), out _))))
                throw new FormatException("it is neither");
        }

        return addresses.Length == 0 ? throw new FormatException("it is empty") : string.Join(',', addresses);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
