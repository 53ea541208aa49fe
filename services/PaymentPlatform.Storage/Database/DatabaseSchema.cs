using System.Reflection;
using Npgsql;

namespace PaymentPlatform.Storage.Database;

/// <summary>Whether a database's schema is one that this version can work on.</summary>
public static class DatabaseSchema
{
    /// <summary>
    /// A script of a newer version whose name ends in this breaks the versions before it. All others only add, so that the version before goes on working while, and should a deployment be taken back after, the newer one is rolled out.
    /// </summary>
    public const string BreakingSuffix = ".breaking.sql";

    private static readonly string[] s_scripts =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The newest script of this version, without its folder.</summary>
    public static string Newest => ShortName(s_scripts[^1]);

    /// <returns>One line that says what is wrong and what to do, or null.</returns>
    public static async Task<string?> FindProblemAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var exists = new NpgsqlCommand("SELECT to_regclass('public.schema_versions') IS NOT NULL", connection))
        {
            if (!(bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
                return "The database has no PaymentPlatform schema yet: run the migrator (PaymentPlatform.Migrator).";
        }

        var applied = new List<string>();
        await using (var command = new NpgsqlCommand("SELECT scriptname FROM public.schema_versions ORDER BY scriptname", connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                applied.Add(reader.GetString(0));
        }

        if (s_scripts.Except(applied, StringComparer.Ordinal).FirstOrDefault() is { } missing)
            return $"The database's schema is older than this version: it lacks {ShortName(missing)}. Run the migrator (PaymentPlatform.Migrator) of this version.";
        return applied.Except(s_scripts, StringComparer.Ordinal).FirstOrDefault(name => name.EndsWith(BreakingSuffix, StringComparison.Ordinal)) is { } breaking
            ? $"The database's schema is newer than this version can work with: it has {ShortName(breaking)}. Deploy the newer version again."
            : null;
    }

    /// <summary>Embedded resources are called Namespace.Folder.0001_name.sql.</summary>
    private static string ShortName(string script)
    {
        const string folder = ".Migrations.";
        var at = script.LastIndexOf(folder, StringComparison.Ordinal);
        return at < 0 ? script : script[(at + folder.Length)..];
    }
}
