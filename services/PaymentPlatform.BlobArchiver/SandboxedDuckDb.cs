using DuckDB.NET.Data;

namespace PaymentPlatform.BlobArchiver;

/// <summary>DuckDB instances of one thread that read and write nothing outside a folder.</summary>
internal static class SandboxedDuckDb
{
    /// <param name="memory">Bytes; what does not fit goes to the folder.</param>
    public static DuckDBConnection Open(string directory, long memory)
    {
        var connection = new DuckDBConnection("Data Source=:memory:");
        try
        {
            connection.Open();
            foreach (var setting in (string[])
            [
                $"memory_limit = '{memory} bytes'",
                "threads = 1",
                $"temp_directory = {Quote(Path.Combine(directory, "spill"))}",
                "autoload_known_extensions = false",
                "autoinstall_known_extensions = false",
                $"allowed_directories = [{Quote(directory)}]",
                "enable_external_access = false",
                "lock_configuration = true",
            ])
            {
                using var command = connection.CreateCommand();
                command.CommandText = "SET " + setting;
                command.ExecuteNonQuery();
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
