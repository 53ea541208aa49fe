using System.Globalization;

namespace PaymentPlatform.Storage.Archive;

/// <summary>
/// Names of archive blobs: <c>raw_events/yyyy=2025/mm=12/dd=05/hh=14/&lt;uuid v7&gt;.parquet</c>. The hour (UTC) is the arrival hour of the file's oldest event.
/// Writers start a new file when a newer hour begins, so a later hour's event is in an older hour's file only when a lagging partition shared it: the manifest's arrival times are exact.
/// </summary>
public static class ArchiveFileName
{
    /// <summary>The folder of all archive files, with its slash.</summary>
    public const string Root = "raw_events/";

    /// <param name="fileId">A version 7 UUID: names sort by the time at which they were made.</param>
    /// <param name="oldestEnqueuedAtMicros">Microseconds since the Unix epoch.</param>
    public static string Create(Guid fileId, long oldestEnqueuedAtMicros) =>
        string.Create(CultureInfo.InvariantCulture, $"{HourPrefix(FromMicros(oldestEnqueuedAtMicros))}{fileId:D}.parquet");

    /// <summary>The folder of an hour, with its slash.</summary>
    public static string HourPrefix(DateTime utc) =>
        string.Create(CultureInfo.InvariantCulture, $"{Root}yyyy={utc:yyyy}/mm={utc:MM}/dd={utc:dd}/hh={utc:HH}/");

    /// <summary>The folder that a blob is in, with its slash.</summary>
    public static string Folder(string blobName) => blobName[..(blobName.LastIndexOf('/') + 1)];

    /// <summary>UTC time of microseconds since the Unix epoch.</summary>
    public static DateTime FromMicros(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);
}
