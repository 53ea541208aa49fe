namespace PaymentPlatform.Storage.Archive;

/// <summary>What people are told about a live file whose blob is gone or is not what it was.</summary>
public static class LostFile
{
    public const string Advice = "./platform reconcile --repair writes it again while its events are in the stream, or in the files that it was merged of; if they are not, restore the blob from a copy.";

    public static string Missing(string blobName) => $"The archive file {blobName} is missing from the blob store although the manifest has it. {Advice}";

    public static string Damaged(string blobName) => $"The archive file {blobName} is damaged: its bytes are not those of the manifest. {Advice}";
}
