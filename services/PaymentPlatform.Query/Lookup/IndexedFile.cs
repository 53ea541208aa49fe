namespace PaymentPlatform.Query.Lookup;

/// <summary>A live file and what the index knows about it. Changed under the index's lock only.</summary>
internal sealed class IndexedFile(ArchiveFile file)
{
    public ArchiveFile File => file;

    /// <summary>Ends when the filters are there, or could not be had; never with a fault. Null: not begun.</summary>
    public Task? Loading { get; set; }

    /// <summary>Null: not known yet. Without filters the file is always looked into.</summary>
    public StoredFilters? Filters { get; set; }

    /// <summary>The filters' blocks; null: they are on disk only.</summary>
    public byte[]? Bits { get; set; }

    /// <summary>After a failure: when to try again.</summary>
    public DateTimeOffset RetryAt { get; set; }

    public bool IsPending => Loading is { IsCompleted: false };
}
