using DuckDB.NET.Data;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>The archive as an outsider reads it: live names from the manifest, blobs from the store, DuckDB over them.</summary>
internal static class ArchiveContents
{
    public static async Task<List<ArchivedRow>> ReadAsync(TestPlatform platform)
    {
        var directory = Directory.CreateTempSubdirectory("archive-test");
        try
        {
            var names = new List<string>();
            await using (var command = platform.Database.CreateCommand("SELECT blob_name, byte_size, sha256 FROM raw_event_files WHERE state = 'live'"))
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                {
                    var name = reader.GetString(0);
                    var file = Path.Combine(directory.FullName, Path.GetFileName(name));
                    await platform.Container.GetBlobClient(name).DownloadToAsync(file);
                    var bytes = await File.ReadAllBytesAsync(file);
                    Assert.Equal(reader.GetInt64(1), bytes.Length);
                    Assert.Equal(reader.GetFieldValue<byte[]>(2), System.Security.Cryptography.SHA256.HashData(bytes));
                    names.Add(name);
                }
            }

            var rows = new List<ArchivedRow>();
            if (names.Count == 0)
                return rows;
            await using var duck = new DuckDBConnection("DataSource=:memory:");
            await duck.OpenAsync();
            await using var query = duck.CreateCommand();
            query.CommandText = $"""
                SELECT stream_partition, stream_offset, message_id, correlation_id, is_valid, errors, origin, origin_id, base64(raw_payload), transaction_id, filename, duplicate
                FROM read_parquet('{directory.FullName}/*.parquet', filename = true) ORDER BY 1, 2
                """;
            await using var events = await query.ExecuteReaderAsync();
            while (await events.ReadAsync())
            {
                rows.Add(new(
                    events.GetInt32(0), events.GetInt64(1), events.GetString(2), events.GetString(3), events.GetBoolean(4), Text(5), events.GetString(6), Text(7),
                    Convert.FromBase64String(events.GetString(8)), Text(9), Path.GetFileName(events.GetString(10)), events.GetBoolean(11)));
            }

            return rows;

            string? Text(int ordinal) => events.IsDBNull(ordinal) ? null : events.GetString(ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Every event of the stream is in exactly one live file, the manifest says which, and the checkpoints stand at the end.</summary>
    public static async Task<List<ArchivedRow>> AssertCompleteAsync(TestPlatform platform, int events)
    {
        var rows = await ReadAsync(platform);
        Assert.Equal(events, rows.Count);
        Assert.Equal(events, rows.Select(r => r.MessageId).Distinct().Count());

        var ranges = await RangesAsync(platform);
        await using var command = platform.Database.CreateCommand(
            """
            SELECT p.partition_id, p.next_offset, c.next_offset FROM stream_partitions p JOIN stream_logs l USING (log_id)
            LEFT JOIN stream_checkpoints c ON c.log_id = p.log_id AND c.partition_id = p.partition_id AND c.consumer_group = 'archiver'
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var total = 0L;
        while (await reader.ReadAsync())
        {
            var (partition, end) = (reader.GetInt32(0), reader.GetInt64(1));
            total += end;
            Assert.Equal(end, reader.IsDBNull(2) ? 0 : reader.GetInt64(2));
            var mine = rows.Where(r => r.Partition == partition).ToList();
            Assert.Equal(Enumerable.Range(0, (int)end).Select(o => (long)o), mine.Select(r => r.Offset));
            var next = 0L;
            foreach (var (file, range) in ranges.Where(r => r.Range.Partition.PartitionId == partition).OrderBy(r => r.Range.From))
            {
                Assert.Equal(next, range.From);
                next = range.To;
                Assert.All(mine.Where(r => r.Offset >= range.From && r.Offset < range.To), r => Assert.Equal(file, r.File));
            }

            Assert.Equal(end, next);
        }

        Assert.Equal(events, total);
        return rows;
    }

    private static async Task<List<(string File, OffsetRange Range)>> RangesAsync(TestPlatform platform)
    {
        await using var command = platform.Database.CreateCommand(
            "SELECT f.blob_name, r.stream, r.log_id, r.partition_id, r.first_offset, r.next_offset FROM raw_event_ranges r JOIN raw_event_files f USING (file_id) WHERE r.live AND f.state = 'live'");
        await using var reader = await command.ExecuteReaderAsync();
        var ranges = new List<(string, OffsetRange)>();
        while (await reader.ReadAsync())
            ranges.Add((Path.GetFileName(reader.GetString(0)), new(new(reader.GetString(1), reader.GetString(2), reader.GetInt32(3)), reader.GetInt64(4), reader.GetInt64(5))));
        return ranges;
    }
}
