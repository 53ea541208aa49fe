using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Query;

/// <summary>Section <c>Query</c>: how much of the machine reading the archive may take.</summary>
public sealed class QueryOptions
{
    public const string Section = "Query";

    /// <summary>Bytes that the query engine may hold; beyond it a sort goes to disk.</summary>
    [Range(64L << 20, 1L << 40, ErrorMessage = "Query:EngineMemory must be between 67108864 (64 MiB) and 1 TiB, in bytes.")]
    public long EngineMemory { get; set; } = 384L << 20;

    /// <summary>Threads of the query engine, shared by all queries.</summary>
    [Range(1, 256, ErrorMessage = "Query:EngineThreads must be between 1 and 256.")]
    public int EngineThreads { get; set; } = 2;

    /// <summary>Bytes of disk that sorts may use at once.</summary>
    [Range(0L, 1L << 44, ErrorMessage = "Query:SpillBytes must be between 0 and 16 TiB, in bytes.")]
    public long SpillBytes { get; set; } = 8L << 30;

    /// <summary>Holds the local copies of archive files and the engine's spill. Empty: a folder under the system's temporary directory. Processes may name the same one.</summary>
    public string CacheDirectory { get; set; } = "";

    /// <summary>
    /// Bytes of local copies; the least recently used go first. Files of a running query stay, even beyond this, but a statement of <c>/v1/sql</c> whose files are more is refused: so there must be room for
    /// at least one file as large as the archiver makes them by its defaults (Archiver:FlushBytes, Archiver:CompactionBytes).
    /// </summary>
    [Range(64L << 20, 1L << 44, ErrorMessage = "Query:CacheBytes must be between 67108864 (64 MiB, a full archive file) and 16 TiB, in bytes.")]
    public long CacheBytes { get; set; } = 2L << 30;

    /// <summary>Bytes of Bloom filters (some 2.6 an event) that lookups by transaction id hold in memory; what is beyond is read from the cache directory, at a few microseconds a row group.</summary>
    [Range(0L, 1L << 40, ErrorMessage = "Query:LookupIndexBytes must be between 0 and 1 TiB, in bytes.")]
    public long LookupIndexBytes { get; set; } = 256L << 20;

    /// <summary>Bytes of filters of files that are gone: fewer are not worth writing the others again for. Not an option; tests need less.</summary>
    internal long LookupGarbageBytes { get; set; } = 64 << 20;

    /// <summary>How often the filters of new files are fetched ahead of lookups, which else fetch them themselves.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Query:LookupRefresh must be between 00:00:01 and 01:00:00.")]
    public TimeSpan LookupRefresh { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Files fetched from the blob store at once, by all queries together.</summary>
    [Range(1, 64, ErrorMessage = "Query:Downloads must be between 1 and 64.")]
    public int Downloads { get; set; } = 4;

    /// <summary>Pages and lookups that run at once; the next ones wait.</summary>
    [Range(1, 256, ErrorMessage = "Query:ConcurrentQueries must be between 1 and 256.")]
    public int ConcurrentQueries { get; set; } = 4;

    /// <summary>NDJSON, CSV and Parquet answers that run at once. Apart from the others, so that slow readers of long answers never block a lookup.</summary>
    [Range(1, 256, ErrorMessage = "Query:ConcurrentExports must be between 1 and 256.")]
    public int ConcurrentExports { get; set; } = 2;

    /// <summary>Queries of the database that run at once. Fewer than Storage:MaxPoolSize, which the whole process shares.</summary>
    [Range(1, 256, ErrorMessage = "Query:DatabaseQueries must be between 1 and 256.")]
    public int DatabaseQueries { get; set; } = 3;

    /// <summary>How long a query waits for its turn before it is answered 429.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00", ErrorMessage = "Query:QueueTimeout must be between 00:00:00 and 00:10:00.")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest range of one rebuild: its rows are put in at once, and commits wait meanwhile.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "36500.00:00:00", ErrorMessage = "Query:MaxRebuildRange must be between 1.00:00:00 and 36500.00:00:00.")]
    public TimeSpan MaxRebuildRange { get; set; } = TimeSpan.FromDays(31);

    /// <summary>The longest range of one call of the reconciliation: one runs at a time, and the others wait meanwhile.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "36500.00:00:00", ErrorMessage = "Query:MaxReconciliationRange must be between 1.00:00:00 and 36500.00:00:00.")]
    public TimeSpan MaxReconciliationRange { get; set; } = TimeSpan.FromDays(31);

    /// <summary>Rows that one step of a scan sorts, about. Smaller steps need less memory and start to answer earlier.</summary>
    [Range(1, 10_000_000, ErrorMessage = "Query:SliceRows must be between 1 and 10000000.")]
    public int SliceRows { get; set; } = 50_000;

    /// <summary>How long a replay stays with a process that gives no sign of life.</summary>
    [Range(typeof(TimeSpan), "00:00:03", "01:00:00", ErrorMessage = "Query:ReplayLease must be between 00:00:03 and 01:00:00.")]
    public TimeSpan ReplayLease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Faults in a row of which nobody knows that they pass, until a replay fails. A stream, database or store that is away is waited for.</summary>
    [Range(1, 1000, ErrorMessage = "Query:ReplayAttempts must be between 1 and 1000.")]
    public int ReplayAttempts { get; set; } = 5;

    /// <summary>Files that one step of a scan opens at most, unless more of them overlap in time.</summary>
    [Range(1, 100_000, ErrorMessage = "Query:SliceFiles must be between 1 and 100000.")]
    public int SliceFiles { get; set; } = 500;

    /// <summary>Bytes that DuckDB may hold for one statement of <c>/v1/sql</c>. The process that runs it is ended at about twice as much.</summary>
    [Range(64L << 20, 1L << 40, ErrorMessage = "Query:SqlMemory must be between 67108864 (64 MiB) and 1 TiB, in bytes.")]
    public long SqlMemory { get; set; } = 512L << 20;

    /// <summary>Bytes of disk that one statement's sorts, joins and groups may use.</summary>
    [Range(0L, 1L << 44, ErrorMessage = "Query:SqlSpillBytes must be between 0 and 16 TiB, in bytes.")]
    public long SqlSpillBytes { get; set; } = 2L << 30;

    /// <summary>Threads of one statement.</summary>
    [Range(1, 256, ErrorMessage = "Query:SqlThreads must be between 1 and 256.")]
    public int SqlThreads { get; set; } = 2;

    /// <summary>Statements that run at once; the next ones wait for <see cref="QueueTimeout"/>.</summary>
    [Range(1, 64, ErrorMessage = "Query:SqlConcurrent must be between 1 and 64.")]
    public int SqlConcurrent { get; set; } = 2;

    /// <summary>How long a statement may work; fetching files it has not yet does not count.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00", ErrorMessage = "Query:SqlTimeout must be between 00:00:00.100 and 01:00:00.")]
    public TimeSpan SqlTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Rows of an answer at most.</summary>
    [Range(1L, 1_000_000L, ErrorMessage = "Query:SqlRows must be between 1 and 1000000.")]
    public long SqlRows { get; set; } = 10_000;

    /// <summary>Bytes of an answer's rows at most, in memory until the answer is complete.</summary>
    [Range(1024L, 256L << 20, ErrorMessage = "Query:SqlBytes must be between 1024 and 268435456 (256 MiB).")]
    public long SqlBytes { get; set; } = 16L << 20;

    /// <summary>How often manifest, blobs, checkpoints and figures are compared, by one of all processes; 0 is never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00", ErrorMessage = "Query:ReconciliationInterval must be between 00:00:00 (never) and 7.00:00:00.")]
    public TimeSpan ReconciliationInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Files whose bytes are read again at each of these comparisons, those that were not read for longest first.</summary>
    [Range(0, 1_000_000, ErrorMessage = "Query:ReconciliationFiles must be between 0 and 1000000.")]
    public int ReconciliationFiles { get; set; } = 100;

    /// <summary>Bytes that each of these comparisons reads again at most; a larger file is read alone.</summary>
    [Range(1L, 1L << 44, ErrorMessage = "Query:ReconciliationBytes must be between 1 and 16 TiB, in bytes.")]
    public long ReconciliationBytes { get; set; } = 2L << 30;

    /// <summary>How long a comparison waits until the archive holds what the figures count. Longer than Archiver:FlushAge.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "02:00:00", ErrorMessage = "Query:ReconciliationWait must be between 00:00:00 and 02:00:00.")]
    public TimeSpan ReconciliationWait { get; set; } = TimeSpan.FromMinutes(2);
}
