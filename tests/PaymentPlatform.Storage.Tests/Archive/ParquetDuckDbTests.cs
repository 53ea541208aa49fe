using System.Globalization;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Archive.Parquet;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>DuckDB, which shares no code with the encoder, reads what was written.</summary>
public sealed class ParquetDuckDbTests
{
    [Theory]
    [InlineData(1, 1, RawEventBuffer.DefaultRowsPerGroup)]
    [InlineData(2, 13, RawEventBuffer.DefaultRowsPerGroup)]
    [InlineData(3, 5000, 700)]
    [InlineData(4, 5000, RawEventBuffer.DefaultRowsPerGroup)]
    public void Read_MixedEvents_EveryColumnEqual(int seed, int count, int rowsPerGroup)
    {
        var models = EventModels.Mixed(seed, count);
        using var file = ParquetOnDisk.Of(models, rowsPerGroup);
        AssertEqual(models, file);
    }

    [Fact]
    public void Read_AllColumnsNull_Equal()
    {
        var models = Enumerable.Range(0, 1000).Select(i => new EventModel { Offset = i }).ToArray();
        using var file = ParquetOnDisk.Of(models);
        AssertEqual(models, file);
    }

    [Fact]
    public void Read_HundredThousandRows_SeveralRowGroupsAndEqual()
    {
        var models = EventModels.Ordinary(5, 100_000);
        using var file = ParquetOnDisk.Of(models);
        Assert.Equal(4L, file.Query($"SELECT count(*) FROM (SELECT DISTINCT row_group_id FROM parquet_metadata('{file.FileName}'))")[0][0]);
        AssertEqual(models, file);
    }

    /// <summary>Nothing is stored about nulls until the first: it may come at any row.</summary>
    [Theory]
    [InlineData(8_191)]
    [InlineData(8_193)]
    [InlineData(20_000)]
    public void Read_FirstNullAfterManyValues_Equal(int firstNull)
    {
        var models = EventModels.Ordinary(9, 24_000);
        for (var i = firstNull; i < models.Length; i += 7)
            models[i] = new() { Offset = models[i].Offset, Partition = models[i].Partition };
        using var file = ParquetOnDisk.Of(models);
        AssertEqual(models, file);
    }

    [Fact]
    public void Read_LargePayloads_ExactBytes()
    {
        var random = new Random(6);
        // Of 60 kB, none, one byte, and larger than a page (1 MiB).
        int[] sizes = [60_000, 0, 1, 60_000, 3_000_000, 60_000, (1 << 20) - 4, 1 << 20, 60_000];
        var models = sizes.Select((size, i) => new EventModel { Offset = i, Payload = EventModels.RandomBytes(random, size) }).ToArray();
        using var file = ParquetOnDisk.Of(models);
        AssertEqual(models, file);
    }

    [Fact]
    public void Read_ManyPages_ExactBytes()
    {
        var random = new Random(7);
        var models = Enumerable.Range(0, 2000).Select(i => new EventModel
        {
            Offset = i,
            Payload = EventModels.RandomBytes(random, random.Next(60_000)),
            // Nulls in a column of several PLAIN pages.
            Texts = [.. EventModel.TextColumns.Select((_, c) => c == 14 && i % 3 != 0 ? Convert.ToHexString(EventModels.RandomBytes(random, 2000)) : null)],
        }).ToArray();
        using var file = ParquetOnDisk.Of(models);
        AssertEqual(models, file);
    }

    [Fact]
    public void Read_DictionaryGrowsTooLarge_DictionaryThenPlainPagesEqual()
    {
        // A third of the values distinct and long: the dictionary is kept, then full.
        var random = new Random(8);
        var values = Enumerable.Range(0, 2500).Select(_ => Convert.ToHexString(EventModels.RandomBytes(random, 400))).ToArray();
        var models = Enumerable.Range(0, 9000).Select(i => new EventModel
        {
            Offset = i,
            Texts = [.. EventModel.TextColumns.Select((_, c) => c == 8 ? values[i / 3 % values.Length] : null)],
        }).ToArray();
        using var file = ParquetOnDisk.Of(models);
        AssertEqual(models, file);
        var encodings = (string)file.Query($"SELECT encodings FROM parquet_metadata('{file.FileName}') WHERE path_in_schema = 'merchant_name'")[0][0]!;
        Assert.Contains("RLE_DICTIONARY", encodings);
        Assert.Contains("PLAIN", encodings);
    }

    [Fact]
    public void Read_ExtremeValues_Equal()
    {
        long?[] times = [EventModels.FirstMicros, EventModels.LastMicros, 0, -1, 1, null];
        Int128?[] amounts = [EventModels.MaxAmount, -EventModels.MaxAmount, 0, 1, -1, 127, 128, -128, -129, long.MaxValue, long.MinValue, null];
        var models = (from time in times from amount in amounts select new EventModel { TimestampMicros = time, Amount = amount, EnqueuedAt = time ?? 5 })
            .Select((model, i) => model with { Offset = i - 20 }).ToArray();
        using var file = ParquetOnDisk.Of(models);
        AssertEqual(models, file);
    }

    [Fact]
    public void Schema_InDuckDb_TypesAreTheContract()
    {
        using var file = ParquetOnDisk.Of(EventModels.Mixed(9, 10));
        var types = file.Query("SELECT column_name, column_type FROM (DESCRIBE events) WHERE column_name <> 'file_row_number'").ToDictionary(r => (string)r[0]!, r => (string)r[1]!);
        Assert.Equal(ArchiveSchema.Columns.Select(c => c.Name), types.Keys);
        foreach (var (name, type) in types)
        {
            Assert.Equal(
                name switch
                {
                    "transaction_timestamp" or "enqueued_at" or "archived_at" => "TIMESTAMP WITH TIME ZONE",
                    "amount" => "DECIMAL(19,4)",
                    "stream_partition" => "INTEGER",
                    "stream_offset" => "BIGINT",
                    "is_valid" or "duplicate" => "BOOLEAN",
                    "raw_payload" => "BLOB",
                    _ => "VARCHAR",
                },
                type);
        }
    }

    [Fact]
    public void Read_InvalidUtf8InIds_Replaced()
    {
        using var buffer = new RawEventBuffer();
        for (var i = 0; i < 3; i++)
        {
            buffer.Append(new RawEvent
            {
                Partition = new("payments", "log-1", 0),
                Offset = i,
                EnqueuedAtMicros = 0,
                MessageId = [(byte)'m', 0xFF, 0xC0],
                CorrelationId = [0xED, 0xA0, 0x80],
                RawPayload = [0xFF],
                Transaction = new(),
                Errors = [],
                OriginId = [0x80],
            });
        }

        using var file = ParquetSerializer.Serialize(buffer, 0);
        using var disk = new ParquetOnDisk(file);
        var row = disk.Query("SELECT message_id, correlation_id, origin_id, hex(raw_payload) FROM events WHERE stream_offset = 2")[0];
        Assert.Equal(["m\uFFFD\uFFFD", "\uFFFD\uFFFD\uFFFD", "\uFFFD", "FF"], row);
    }

    [Fact]
    public void Errors_InDuckDb_AreJsonOfTheContract()
    {
        var errors = new ValidationError[] { new("amount", "amount_positive", "> 0", "-1 ü\"", "The amount must be positive."), new("", "json", "a", null, "b") };
        using var file = ParquetOnDisk.Of([new EventModel { Errors = errors }, new EventModel { Offset = 1 }]);
        using var json = JsonDocument.Parse((string)file.Query("SELECT errors FROM events WHERE NOT is_valid")[0][0]!);
        var first = json.RootElement[0];
        Assert.Equal(["field", "constraint", "expected", "actual", "message"], first.EnumerateObject().Select(p => p.Name));
        Assert.Equal("-1 ü\"", first.GetProperty("actual").GetString());
        Assert.Equal(JsonValueKind.Null, json.RootElement[1].GetProperty("actual").ValueKind);
        Assert.Null(file.Query("SELECT errors FROM events WHERE is_valid")[0][0]);
    }

    private static void AssertEqual(EventModel[] models, ParquetOnDisk file)
    {
        var texts = EventModel.TextColumns;
        var rows = file.Query($"""
            SELECT {string.Join(", ", texts)}, epoch_us(transaction_timestamp), amount::VARCHAR, message_id, stream, stream_log_id, stream_partition, stream_offset,
                   epoch_us(enqueued_at), epoch_us(archived_at), is_valid, errors, origin, origin_id, duplicate, to_base64(raw_payload)
            FROM events ORDER BY file_row_number
            """);
        Assert.Equal(models.Length, rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var model = models[i];
            object?[] expected =
            [
                .. texts.Select(t => t == "correlation_id" ? model.CorrelationId : model.Text(t)),
                model.TimestampMicros,
                model.Amount is { } amount ? Decimal(amount) : null,
                model.MessageId, model.Partition.Stream, model.Partition.LogId, model.Partition.PartitionId, model.Offset,
                model.EnqueuedAt, ParquetOnDisk.ArchivedAt, model.Errors.Length == 0,
                model.Errors.Length == 0 ? null : Encoding.UTF8.GetString(new ErrorsText().Write(model.Errors)),
                model.Origin.ToString().ToLowerInvariant(), model.OriginId, model.Duplicate, Convert.ToBase64String(model.Payload),
            ];
            if (!expected.SequenceEqual(rows[i]))
                Assert.Equal(expected, rows[i]);
        }
    }

    private static string Decimal(Int128 scaled)
    {
        var text = Int128.Abs(scaled).ToString(CultureInfo.InvariantCulture).PadLeft(5, '0');
        return $"{(scaled < 0 ? "-" : "")}{text[..^4]}.{text[^4..]}";
    }
}
