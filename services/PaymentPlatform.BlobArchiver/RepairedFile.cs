namespace PaymentPlatform.BlobArchiver;

/// <param name="BlobName">The file that was missing or damaged.</param>
/// <param name="NewBlobName">The file that holds its events now; null when it could not be written.</param>
/// <param name="Reason">Why not, half a sentence; null when it was.</param>
public sealed record RepairedFile(string BlobName, string? NewBlobName, string? Reason);
