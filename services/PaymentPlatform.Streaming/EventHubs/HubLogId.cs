using System.Globalization;
using Positions = System.Collections.Generic.IReadOnlyDictionary<string, System.Collections.Generic.IReadOnlyDictionary<int, long>>;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>The log's id: when the hub was made, and a count where one hub has forgotten its events without being made anew (an emulator).</summary>
internal static class HubLogId
{
    public static string Of(DateTimeOffset createdOn) => createdOn.UtcDateTime.ToString("yyyyMMdd'T'HHmmss.fffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>True for the ids of all logs that the hub has had.</summary>
    public static bool BelongsTo(string logId, DateTimeOffset createdOn)
    {
        var hub = Of(createdOn);
        return logId.StartsWith(hub, StringComparison.Ordinal) && (logId.Length == hub.Length || logId[hub.Length] == '-');
    }

    /// <summary>The log that the hub holds now: the first one, from the last known on, that has all the positions known of it.</summary>
    /// <param name="known">The log that was seen last; null when none was.</param>
    /// <param name="positions">By log id and partition: how far the log was seen or read. Noted before the partitions were asked for, since a log only grows.</param>
    /// <param name="partitions">By partition id.</param>
    public static string Decide(string? known, Positions positions, DateTimeOffset createdOn, IReadOnlyList<HubPartition> partitions)
    {
        var logId = known is not null && BelongsTo(known, createdOn) ? known : Of(createdOn);
        while (positions.TryGetValue(logId, out var seen) && seen.Any(p => p.Key >= partitions.Count || p.Value > partitions[p.Key].NextOffset))
            logId = Following(logId, createdOn);
        return logId;
    }

    private static string Following(string logId, DateTimeOffset createdOn)
    {
        var hub = Of(createdOn);
        var count = logId.Length > hub.Length ? int.Parse(logId.AsSpan(hub.Length + 1), CultureInfo.InvariantCulture) : 1;
        return string.Create(CultureInfo.InvariantCulture, $"{hub}-{count + 1}");
    }
}
