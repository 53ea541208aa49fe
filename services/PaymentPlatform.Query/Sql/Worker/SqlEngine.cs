using DuckDB.NET.Data;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>DuckDB in memory without a way out: no extension is loaded, no file is read but the given ones, and the settings are locked.</summary>
internal static class SqlEngine
{
    /// <param name="files">The files that may be read.</param>
    /// <param name="settings">Further settings.</param>
    public static DuckDBConnection Open(IReadOnlyList<string> files, params IEnumerable<string> settings)
    {
        var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        foreach (var setting in (string[])
        [
            "TimeZone = 'UTC'",
            "autoload_known_extensions = false",
            "autoinstall_known_extensions = false",
            "allow_community_extensions = false",
            // Messages with the position in the text.
            "errors_as_json = true",
            .. settings,
            $"allowed_paths = {TextList(files)}",
            "enable_external_access = false",
            "lock_configuration = true",
        ])
        {
            Execute(connection, "SET " + setting);
        }

        return connection;
    }

    public static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Settings and views take no parameters.</summary>
    public static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string TextList(IEnumerable<string> texts) => $"[{string.Join(", ", texts.Select(Text))}]";
}
