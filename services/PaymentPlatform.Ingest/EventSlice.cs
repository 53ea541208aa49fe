namespace PaymentPlatform.Ingest;

/// <summary>Where an event lies in its chunk's buffer.</summary>
/// <param name="Offset">Negative for an event that was too large to keep.</param>
/// <param name="Size">Its bytes; all of them, also when they were not kept.</param>
internal readonly record struct EventSlice(int Offset, long Size);
