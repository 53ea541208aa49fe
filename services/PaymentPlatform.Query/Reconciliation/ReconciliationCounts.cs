namespace PaymentPlatform.Query.Reconciliation;

/// <summary>How much was compared.</summary>
/// <param name="Files">Live files of the manifest.</param>
/// <param name="Bytes">Of those files, by the manifest.</param>
/// <param name="Contents">Files whose bytes were read.</param>
/// <param name="Partitions">Of all logs that the archiver has a position in.</param>
/// <param name="Windows">Five-minute windows that hold events.</param>
/// <param name="Figures">Rows of figures.</param>
/// <param name="Events">Events in those rows, by the archive.</param>
/// <param name="DeadLetters">Invalid events, by the archive.</param>
public sealed record ReconciliationCounts(long Files, long Blobs, long Bytes, long Contents, long Partitions, long Ranges, long Windows, long Figures, long Events, long DeadLetters);
