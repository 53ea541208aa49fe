using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Section <c>Streaming:Kafka</c>. The brokers' addresses are the connection string <c>payments</c>, unless they are given here.</summary>
public sealed class KafkaOptions
{
    public const string Section = "Streaming:Kafka";

    /// <summary>host:port, several separated by commas; or an Event Hubs connection string. Goes before <c>ConnectionStrings:payments</c>.</summary>
    public string? BootstrapServers { get; set; }

    /// <summary>Goes before the consumer groups' names at the broker, for clusters that others use too.</summary>
    [StringLength(200)]
    public string GroupPrefix { get; set; } = "";

    /// <summary>The largest body, in bytes. Brokers have a limit of their own (<c>max.message.bytes</c>), which must leave room for it with key and headers; a topic that the platform makes does.</summary>
    [Range(1024, 1 << 28)]
    public int MaxMessageBytes { get; set; } = 1 << 20;

    /// <summary>How long publishing tries before it fails with <see cref="StreamUnavailableException"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:30")]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes that wait in a process to be sent; beyond it publishing waits.</summary>
    [Range(1L << 20, 1L << 31)]
    public long QueueBytes { get; set; } = 64 << 20;

    /// <summary>Copies of each partition of a topic that the platform makes; -1 leaves it to the broker.</summary>
    [Range(-1, 32)]
    public short ReplicationFactor { get; set; } = -1;

    /// <summary>Passed to librdkafka as they are (its CONFIGURATION.md lists them); they go before what the platform sets by itself, save what keeps events from being lost.</summary>
    public Dictionary<string, string> Settings { get; set; } = [];
}
