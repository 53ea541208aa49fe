namespace PaymentPlatform.BlobArchiver.Tests;

public sealed class WorkFoldersTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Sweep_OneFolderCanNotBeDeleted_TheOtherOldOnesGo()
    {
        var directory = Directory.CreateTempSubdirectory("work-folders-test-");
        try
        {
            foreach (var name in (string[])["payment-archive-holds-foreign", "payment-archive-holds-old", "payment-archive-merge-foreign", "payment-archive-merge-old", "somebody-elses"])
                Make(directory, name, Now - TimeSpan.FromHours(25));
            Make(directory, "payment-archive-merge-at-work", Now - TimeSpan.FromHours(23));
            new WorkFolders(directory.FullName, Delete).Sweep(Now);
            Assert.Equal(["payment-archive-holds-foreign", "payment-archive-merge-at-work", "payment-archive-merge-foreign", "somebody-elses"], directory.EnumerateDirectories().Select(d => d.Name).Order());
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        // As it is with another user's, or with one that that user deletes at the same moment.
        static void Delete(DirectoryInfo folder)
        {
            if (folder.Name.EndsWith("foreign", StringComparison.Ordinal))
                throw folder.Name.Contains("merge", StringComparison.Ordinal) ? new UnauthorizedAccessException() : new DirectoryNotFoundException();
            folder.Delete(recursive: true);
        }
    }

    private static void Make(DirectoryInfo directory, string name, DateTimeOffset changed)
    {
        var folder = directory.CreateSubdirectory(name);
        File.WriteAllText(Path.Combine(folder.FullName, "0.parquet"), "x");
        folder.LastWriteTimeUtc = changed.UtcDateTime;
    }
}
