using System.Text;
using DuckDB.NET.Data;
using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests.Compaction;

/// <summary>Archive files of any hour and partition, written as the archiver writes them but without a stream, and the archive as outsiders see it.</summary>
internal sealed class SmallFiles(TestPlatform platform, TestArchiver archiver)
{
    /// <summary>2025-12-05T14:01:00Z: closed.</summary>
    public const long Hour = 1_764_943_260_000_000;

    private static readonly string[] Bodies =
    [
        """{"transaction_id":"tx-#","transaction_timestamp":"2025-12-05T13:59:58.123456Z","amount":999999999999999.9999,"currency":"EUR","payment_method":"credit_card","payment_status":"completed","customer_id":"Zoë & 株式会社","merchant_id":"","metadata":{"a":[1, 2],"b":null}}""",
        """{"transaction_id":"tx-#","transaction_timestamp":"2025-12-05T13:00:00+01:00","amount":-0.01,"currency":"XXX","payment_status":"nonsense"}""",
        "not json \u0000 at all",
        """{"transaction_id":"","amount":12.5,"customer_email":"a@b.c","customer_country":"","channel":"\u0000\ud800","note":"tx\/1 \u00e9\uD83D\ude00\q"}""",
    ];

    private readonly TransactionParser _parser = new(new() { CardData = CardDataMode.Allow });

    public ArchiveCompactor Compactor => archiver.Host.Services.GetRequiredService<ArchiveCompactor>();

    /// <summary>One file with the events of the ranges; odd ones too, and a stream clock that steps back.</summary>
    /// <param name="minute">After <see cref="Hour"/>.</param>
    public async Task<ManifestEntry> WriteAsync(int minute, params OffsetRange[] ranges)
    {
        using var buffer = new RawEventBuffer(rowsPerGroup: 40);
        foreach (var range in ranges)
        {
            for (var offset = range.From; offset < range.To; offset++)
                Append(buffer, range.Partition, offset, Hour + (minute * 60_000_000L) + (offset % 5 == 4 ? -3_000_000 : offset * 1000));
        }

        var writer = archiver.Host.Services.GetRequiredService<ArchiveFileWriter>();
        return (await writer.WriteAsync(buffer, ranges, (_, _, _) => Task.FromResult(true), CancellationToken.None))!;
    }

    /// <summary>Every column of every live row, one line each, by position: read by DuckDB from the blobs that the manifest names.</summary>
    public async Task<List<string>> ByDuckDbAsync()
    {
        var directory = Directory.CreateTempSubdirectory("compaction-test");
        try
        {
            foreach (var (name, content) in await DownloadAsync())
                await File.WriteAllBytesAsync(Path.Combine(directory.FullName, Path.GetFileName(name)), content);
            await using var duck = new DuckDBConnection("DataSource=:memory:");
            await duck.OpenAsync();
            var values = string.Join(", ", ParquetSerializer.ColumnNames.Select(c => c == "raw_payload" ? $"hex({c})" : $"coalesce({c}::VARCHAR || '!', 'null')"));
            return [.. duck.Query($"SELECT {values} FROM read_parquet('{directory.FullName}/*.parquet') ORDER BY stream, stream_log_id, stream_partition, stream_offset").Select(row => string.Join('|', row))];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>The live files' events through our own reader, file by file.</summary>
    public async Task<List<List<ArchivedEvent>>> ByReaderAsync()
    {
        var files = new List<List<ArchivedEvent>>();
        foreach (var (_, content) in await DownloadAsync())
            files.Add(await ParquetSerializer.ReadAsync(new MemoryStream(content), CancellationToken.None).ToListAsync());
        return files;
    }

    /// <summary>All properties of an event.</summary>
    public static string Describe(ArchivedEvent archived) =>
        string.Join('|', typeof(ArchivedEvent).GetProperties().Select(p => p.GetValue(archived) switch
        {
            null => "null",
            byte[] bytes => Convert.ToHexString(bytes),
            var value => $"'{value}'",
        }));

    private void Append(RawEventBuffer buffer, StreamPartition partition, long offset, long enqueuedAt)
    {
        var kind = (int)(offset % 7);
        var body = kind < Bodies.Length ? Encoding.UTF8.GetBytes(Bodies[kind].Replace("#", $"{partition.PartitionId}-{offset}")) : Encoding.UTF8.GetBytes(TestEvents.Json($"tx-{partition.PartitionId}-{offset}"));
        if (kind == 4)
            body[3] = 0xFF;
        var parsed = _parser.Parse(body, enqueuedAt);
        buffer.Append(new RawEvent
        {
            Partition = partition,
            Offset = offset,
            EnqueuedAtMicros = enqueuedAt,
            MessageId = kind == 5 ? default : Encoding.UTF8.GetBytes($"m-{offset}"),
            CorrelationId = kind == 6 ? default : "c"u8,
            RawPayload = body.AsSpan(0, kind == 2 ? 0 : body.Length),
            Transaction = parsed.Transaction,
            Errors = parsed.Errors,
            Origin = (EventOrigin)(offset % 3),
            OriginId = offset % 3 == 0 ? default : "origin"u8,
            Duplicate = offset % 11 == 0,
        });
    }

    private async Task<List<(string Name, byte[] Content)>> DownloadAsync()
    {
        var files = new List<(string, byte[])>();
        await using var command = platform.Database.CreateCommand("SELECT blob_name, byte_size, sha256 FROM raw_event_files WHERE state = 'live' ORDER BY blob_name");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var content = (await platform.Container.GetBlobClient(reader.GetString(0)).DownloadContentAsync()).Value.Content.ToArray();
            Assert.Equal((reader.GetInt64(1), Convert.ToHexString(reader.GetFieldValue<byte[]>(2))), (content.LongLength, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content))));
            files.Add((reader.GetString(0), content));
        }

        return files;
    }
}
