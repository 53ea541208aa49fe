namespace PaymentPlatform.Query;

/// <summary>One step of a scan: a half-open span of time and every file that may hold events of it.</summary>
public sealed record ScanSlice(long From, long To, IReadOnlyList<ArchiveFile> Files);
