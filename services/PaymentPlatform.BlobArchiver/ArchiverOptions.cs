using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Section <c>Archiver</c>. A file is written at a row count, a size or an age, whichever comes first.</summary>
public sealed class ArchiverOptions : IValidatableObject
{
    public const string Section = "Archiver";

    /// <summary>How long an event waits in memory, from the moment the archiver read it, before its file is begun.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "01:00:00")]
    public TimeSpan FlushAge { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Events in a file at most.</summary>
    [Range(1, 10_000_000)]
    public int FlushRows { get; set; } = 100_000;

    /// <summary>Payload bytes in a file, or memory taken for it, whichever is more: about. Two files are held at most: one filling, one on its way.</summary>
    [Range(1 << 10, 1L << 30)]
    public long FlushBytes { get; set; } = 64L << 20;

    /// <summary>A file that was announced, but gave no sign of life for this long by the database's clock, is abandoned.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan PendingTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How often stale and abandoned files are looked for.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "1.00:00:00")]
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Files that became live within this time are checked to be there, at start and every <see cref="RestoreInterval"/>. Longer than the stream's retention helps nothing.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan RestoreWindow { get; set; } = TimeSpan.FromMinutes(75);

    /// <summary>How often recent files are checked to be there while the archiver runs.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RestoreInterval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>The longest pause between two attempts at a store that fails; the first is a 50th of it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often closed hours are looked through for small files to merge; zero: never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan CompactionInterval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>An hour's folder is closed when the hour has been over for this long by the database's clock.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan CompactionDelay { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Bytes of a merged file at most, about. Files of less than half of it are merged.</summary>
    [Range(1 << 10, 1L << 30)]
    public long CompactionBytes { get; set; } = 64L << 20;

    /// <summary>Events of a merged file at most. Files with less than half of it are merged.</summary>
    [Range(2, 10_000_000)]
    public int CompactionRows { get; set; } = 1_000_000;

    /// <summary>Memory for sorting, in bytes; what does not fit goes to the temporary directory.</summary>
    [Range(128L << 20, 64L << 30)]
    public long CompactionMemory { get; set; } = 256L << 20;

    /// <summary>How long a merged file's originals are kept for exports and cursors that began before; an older cursor is answered 410.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan SupersededRetention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often files are looked through for those to move to another tier or to delete.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan LifecycleInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Move files to cooler tiers by age. For stores without a policy that does it.</summary>
    public bool Tiering { get; set; }

    /// <summary>Age of a file, since it was written, from which on it is cool.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan CoolAfter { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Age of a file, since it was written, from which on it is in the archive tier: it can't be read until it is rehydrated.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan ArchiveAfter { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long a file is left where it is after it was asked back from the archive tier.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan RehydratedFor { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Days. Files whose last event arrived earlier are deleted unless they are held; zero: never.</summary>
    [Range(0, 36_500)]
    public int RetentionDays { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ArchiveAfter < CoolAfter)
            yield return new($"{Section}:{nameof(ArchiveAfter)} ({ArchiveAfter}) must not be less than {Section}:{nameof(CoolAfter)} ({CoolAfter}).");
        if (PendingTimeout < 2 * MaxRetryDelay)
            yield return new($"{Section}:{nameof(PendingTimeout)} ({PendingTimeout}) must be at least twice {Section}:{nameof(MaxRetryDelay)} ({MaxRetryDelay}): files that are still tried would be abandoned.");
    }
}
