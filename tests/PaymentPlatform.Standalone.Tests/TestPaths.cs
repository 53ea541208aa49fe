namespace PaymentPlatform.Standalone.Tests;

public static class TestPaths
{
    /// <summary>The hundred real events: ../shared/data beside the repository, else the copy that the tests carry.</summary>
    public static string RealEvents()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "data", "transactions.jsonl");
            if (File.Exists(file))
                return file;
        }

        return Path.Combine(AppContext.BaseDirectory, "transactions.jsonl");
    }
}
