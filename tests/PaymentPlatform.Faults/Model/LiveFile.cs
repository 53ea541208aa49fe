namespace PaymentPlatform.Faults.Model;

/// <summary>A file that the manifest calls live.</summary>
internal sealed record LiveFile(string Name, long Bytes, byte[] Sha256, long Rows);
