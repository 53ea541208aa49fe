using System.ComponentModel.DataAnnotations;
using PaymentPlatform.Events;

namespace PaymentPlatform.Ingest;

/// <summary>Section <c>Ingest</c>.</summary>
public sealed class IngestOptions : IValidatableObject
{
    public const string Section = "Ingest";

    /// <summary>Bytes of a JSON body (object, array, CloudEvents) at most, decompressed; more is 413. NDJSON is streamed and has no such limit.</summary>
    [Range(1024, 1 << 30)]
    public int MaxBodyBytes { get; set; } = 16 << 20;

    /// <summary>Bytes of one event (a line without its end, an array element) at most; a larger one is rejected with the constraint <c>size</c>.</summary>
    [Range(1024, 64 << 20)]
    public int MaxEventBytes { get; set; } = 256 << 10;

    /// <summary>Bytes of request bodies held at once over all requests; a new request that finds no room is answered 429.</summary>
    [Range(1L << 20, long.MaxValue)]
    public long MaxBytesInFlight { get; set; } = 64L << 20;

    /// <summary>Requests worked on at once; a further one is answered 429. Not limited when it is not set.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxConcurrentRequests { get; set; }

    /// <summary>What to do with full card numbers and with CVV, track and PIN fields.</summary>
    [EnumDataType(typeof(CardDataMode))]
    public CardDataMode CardData { get; set; } = CardDataMode.Reject;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBytesInFlight < ChunkLimits.BufferBytes(MaxEventBytes))
        {
            yield return new(
                $"{Section}:{nameof(MaxBytesInFlight)} ({MaxBytesInFlight}) has no room for one part of an NDJSON body: with {Section}:{nameof(MaxEventBytes)} at {MaxEventBytes} it must be at least {ChunkLimits.BufferBytes(MaxEventBytes)}.");
        }

        if (MaxBytesInFlight < ChunkLimits.Rounded(MaxBodyBytes))
        {
            yield return new(
                $"{Section}:{nameof(MaxBytesInFlight)} ({MaxBytesInFlight}) has no room for one body of {Section}:{nameof(MaxBodyBytes)} ({MaxBodyBytes}): it must be at least {ChunkLimits.Rounded(MaxBodyBytes)}.");
        }
    }
}
