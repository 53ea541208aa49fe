namespace PaymentPlatform.Query.Lookup;

/// <summary>What became of the archive's files since a generation.</summary>
/// <param name="Generation">Everything up to it is told.</param>
/// <param name="Files">The file, and whether it is live now.</param>
internal sealed record ManifestChanges(long Generation, IReadOnlyList<(ArchiveFile File, bool IsLive)> Files);
