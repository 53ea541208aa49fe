namespace PaymentPlatform.Query.Replay;

/// <param name="EventsTotal">An estimate; null as long as nothing was read.</param>
/// <param name="EventsPerSecond">Null before the first event.</param>
internal sealed record ReplayProgress(ReplayPosition Position, long? EventsTotal, double? EventsPerSecond);
