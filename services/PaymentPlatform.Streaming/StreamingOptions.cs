using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Streaming;

/// <summary>Section <c>Streaming</c>.</summary>
public sealed class StreamingOptions
{
    public const string Section = "Streaming";

    /// <summary>Postgres, Kafka or EventHubs, the same for every service.</summary>
    [Required]
    public string Transport { get; set; } = "Postgres";

    /// <summary>The stream's (hub's, topic's) name. A connection string's EntityPath names the hub where it differs.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Stream { get; set; } = "payments";

    /// <summary>How many partitions a new stream gets; an existing one keeps its own.</summary>
    [Range(1, 256)]
    public int Partitions { get; set; } = 4;

    /// <summary>How long events stay in a PostgreSQL stream after every registered group has committed them.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Bytes that a PostgreSQL stream may take; beyond it publishing fails with <see cref="StreamUnavailableException"/> rather than drop what is unread.</summary>
    [Range(1L << 20, long.MaxValue)]
    public long DiskBudgetBytes { get; set; } = 50L << 30;

    /// <summary>How long a partition stays with an owner that gives no sign of life.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Uncompressed bytes that a consumer reads ahead of its caller in one partition. The record batch that reaches the limit still comes whole.</summary>
    [Range(1L, 1L << 30)]
    public long PrefetchBytesPerPartition { get; set; } = 8 << 20;

    /// <summary>Uncompressed bytes that a consumer reads ahead in all its partitions together.</summary>
    [Range(1L, 1L << 34)]
    public long PrefetchBytes { get; set; } = 32 << 20;

    /// <summary>The same for another stream.</summary>
    internal StreamingOptions For(string stream, int partitions)
    {
        var other = (StreamingOptions)MemberwiseClone();
        (other.Stream, other.Partitions) = (stream, partitions);
        return other;
    }
}
