namespace PaymentPlatform.Query;

/// <summary>A cursor is older than what is kept of the files that it was made over.</summary>
public sealed class ManifestViewGoneException() : Exception("Files that this cursor was made over have been deleted, or written again, since. Begin again without a cursor.");
