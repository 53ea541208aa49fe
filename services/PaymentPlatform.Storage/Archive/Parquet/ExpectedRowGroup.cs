namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>What another reader must find in a row group.</summary>
/// <param name="OffsetSum">All stream offsets added up, wrapping.</param>
internal readonly record struct ExpectedRowGroup(int Rows, long OffsetSum);
