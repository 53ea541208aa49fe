using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Makes a buffer durable together with the checkpoints that it moves.</summary>
internal interface IArchiveFlusher
{
    /// <summary>Ends when it is known what became of the file; tries for as long as a store is away.</summary>
    /// <param name="ranges">One a partition. A range may hold no event.</param>
    /// <returns>False when nothing was kept, because another owner has moved on or the file was swept: all of it must be read again.</returns>
    Task<bool> FlushAsync(ArchiveBuffer buffer, IReadOnlyCollection<OffsetRange> ranges, FlushReason reason, CancellationToken cancellationToken);
}
