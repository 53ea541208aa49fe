using Npgsql;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Which faults never pass by themselves.</summary>
internal static class Faults
{
    /// <summary>
    /// True when the database refuses what was asked of it, and would refuse it again: a constraint (23), a value (21, 22, 44), a missing table or right (42), an unsupported feature (0A),
    /// a raised error (P0), damage (XX). The rest may pass: a restart, a standby that is still read-only, a timeout.
    /// </summary>
    public static bool IsRefusal(Exception e) =>
        e is PostgresException { SqlState: [var a, var b, ..] } refused && !HybridConnectionManager.IsTransient(refused) && $"{a}{b}" is "0A" or "21" or "22" or "23" or "42" or "44" or "P0" or "XX";
}
