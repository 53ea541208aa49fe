namespace PaymentPlatform.Query;

/// <summary>A live file of the manifest.</summary>
/// <param name="Sha256">Lower case hex; also the name of the local copy.</param>
/// <param name="Min">Microseconds since the Unix epoch of the earliest event on the axis that was asked for, inclusive.</param>
/// <param name="Max">The latest one, inclusive.</param>
public sealed record ArchiveFile(string BlobName, long Rows, long Bytes, string Sha256, long Min, long Max);
