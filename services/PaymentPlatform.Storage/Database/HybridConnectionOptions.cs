using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Storage.Database;

/// <summary>Section <c>Storage</c>: the PostgreSQL pool and the blob client that a process shares.</summary>
public sealed class HybridConnectionOptions : IValidatableObject
{
    public const string Section = "Storage";

    /// <summary>Connections kept open.</summary>
    [Range(0, 1000)]
    public int MinPoolSize { get; set; } = 2;

    /// <summary>Connections at most. A migration needs two: one holds the lock, one runs the scripts.</summary>
    [Range(2, 1000)]
    public int MaxPoolSize { get; set; } = 10;

    /// <summary>An idle connection above the minimum is closed after this.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ConnectionIdleLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A connection is replaced after this, so that a failover or a new server is found.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ConnectionLifetime { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long to wait for a connection from the pool or the server.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a transient database fault is retried before it is reported.</summary>
    [Range(0, 100)]
    public int MaxRetries { get; set; } = 5;

    /// <summary>The blob container of the archive.</summary>
    [Required, RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$", ErrorMessage = "Storage:Container must be a blob container name: 3 to 63 lower case letters, digits and single hyphens.")]
    public string Container { get; set; } = "raw-events";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinPoolSize > MaxPoolSize)
            yield return new($"{Section}:{nameof(MinPoolSize)} ({MinPoolSize}) is larger than {Section}:{nameof(MaxPoolSize)} ({MaxPoolSize}).");
    }
}
