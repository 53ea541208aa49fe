namespace PaymentPlatform.BlobArchiver;

/// <summary>Folders for local copies of archive files while they are worked on, in a directory that others use as well.</summary>
/// <param name="delete">Deletes a folder and what is in it.</param>
internal sealed class WorkFolders(string directory, Action<DirectoryInfo> delete)
{
    private const string MergePrefix = "payment-archive-merge-", HoldsPrefix = "payment-archive-holds-";

    private static readonly TimeSpan Leftover = TimeSpan.FromDays(1);

    /// <summary>Those of the machine's temp directory.</summary>
    public static WorkFolders OfMachine => new(Path.GetTempPath(), folder => folder.Delete(recursive: true));

    public static DirectoryInfo CreateForMerge() => Directory.CreateTempSubdirectory(MergePrefix);

    public static DirectoryInfo CreateForHolds() => Directory.CreateTempSubdirectory(HoldsPrefix);

    /// <summary>Deletes what processes that died left behind a day ago or earlier. What can't be deleted, as another user's, is left alone.</summary>
    public void Sweep(DateTimeOffset now)
    {
        foreach (var left in Find().Where(folder => folder.LastWriteTimeUtc < (now - Leftover).UtcDateTime))
        {
            try
            {
                delete(left);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Whose it is will delete it, and what matters goes on.
            }
        }
    }

    private IEnumerable<DirectoryInfo> Find() => new[] { MergePrefix, HoldsPrefix }.SelectMany(prefix => new DirectoryInfo(directory).EnumerateDirectories(prefix + "*"));
}
