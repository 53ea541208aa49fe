using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using PaymentPlatform.Testing;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Archive.Parquet;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>Our way back: through Parquet.Net.</summary>
public sealed class ParquetReadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(31, 1, 100)]
    [InlineData(32, 3000, 700)]
    [InlineData(33, 3000, 25_000)]
    public async Task ReadAsync_MixedEvents_Equal(int seed, int count, int rowsPerGroup)
    {
        var models = EventModels.Mixed(seed, count);
        using var buffer = new RawEventBuffer(rowsPerGroup);
        AssertEqual(models, await RoundtripAsync(buffer, models));
    }

    [Fact]
    public async Task ReadAsync_SeveralPages_Equal()
    {
        var random = new Random(34);
        var models = EventModels.Mixed(34, 300).Select(m => m with { Payload = EventModels.RandomBytes(random, 30_000) }).ToArray();
        using var buffer = new RawEventBuffer();
        AssertEqual(models, await RoundtripAsync(buffer, models));
    }

    [Fact]
    public async Task ReadAsync_BufferUsedAgain_OnlyTheNewEvents()
    {
        using var buffer = new RawEventBuffer(100);
        AssertEqual(EventModels.Mixed(35, 250), await RoundtripAsync(buffer, EventModels.Mixed(35, 250)));
        buffer.Clear();
        Assert.Equal(0, buffer.RowCount);
        Assert.Null(buffer.MinTransactionTimestampMicros);
        AssertEqual(EventModels.Mixed(36, 120), await RoundtripAsync(buffer, EventModels.Mixed(36, 120)));
    }

    [Fact]
    public async Task ReadAsync_FileOutlivesItsBuffer_StillWhole()
    {
        var models = EventModels.Mixed(37, 500);
        var buffer = new RawEventBuffer(200);
        foreach (var model in models)
            model.AppendTo(buffer);
        using var file = ParquetSerializer.Serialize(buffer, ParquetOnDisk.ArchivedAt);
        buffer.Clear();
        foreach (var model in EventModels.Mixed(38, 2000))
            model.AppendTo(buffer);
        using var second = ParquetSerializer.Serialize(buffer, 1);
        buffer.Dispose();
        await ParquetSerializer.VerifyAsync(file, Token);
        AssertEqual(models, await ReadAsync(file));
    }

    [Fact]
    public async Task Serialize_TwiceAndAppendedBetween_EachFileHasWhatTheBufferHad()
    {
        var models = EventModels.Mixed(39, 300);
        using var buffer = new RawEventBuffer();
        foreach (var model in models[..100])
            model.AppendTo(buffer);
        using var first = ParquetSerializer.Serialize(buffer, ParquetOnDisk.ArchivedAt);
        using var again = ParquetSerializer.Serialize(buffer, ParquetOnDisk.ArchivedAt);
        foreach (var model in models[100..])
            model.AppendTo(buffer);
        using var all = ParquetSerializer.Serialize(buffer, ParquetOnDisk.ArchivedAt);
        Assert.Equal(first.Sha256, again.Sha256);
        AssertEqual(models[..100], await ReadAsync(first));
        AssertEqual(models, await ReadAsync(all));
    }

    [Fact]
    public void Serialize_NoRows_Refused()
    {
        using var buffer = new RawEventBuffer();
        Assert.Contains("without rows", Assert.Throws<InvalidOperationException>(() => ParquetSerializer.Serialize(buffer, 0)).Message);
    }

    [Fact]
    public void Serialize_AnyFile_ReportsItsContent()
    {
        var models = EventModels.Mixed(40, 1000);
        using var buffer = new RawEventBuffer(300);
        foreach (var model in models)
            model.AppendTo(buffer);
        Assert.Equal(models.Length, buffer.RowCount);
        Assert.Equal(models.Count(m => m.Errors.Length == 0), buffer.ValidCount);
        Assert.Equal(models.Sum(m => (long)m.Payload.Length), buffer.PayloadBytes);
        Assert.Equal(models.Min(m => m.TimestampMicros), buffer.MinTransactionTimestampMicros);
        Assert.Equal(models.Max(m => m.TimestampMicros), buffer.MaxTransactionTimestampMicros);
        Assert.Equal(models.Min(m => m.EnqueuedAt), buffer.MinEnqueuedAtMicros);
        Assert.Equal(models.Max(m => m.EnqueuedAt), buffer.MaxEnqueuedAtMicros);
        using var file = ParquetSerializer.Serialize(buffer, 0);
        var bytes = file.Content.ToArray();
        Assert.Equal(bytes.Length, file.Length);
        Assert.Equal(models.Length, file.RowCount);
        Assert.Equal(SHA256.HashData(bytes), file.Sha256);
    }

    [Fact]
    public void Append_AmountBeyondDecimal_RefusedAndNothingAppended()
    {
        using var buffer = new RawEventBuffer();
        Assert.Throws<ArgumentOutOfRangeException>(() => new EventModel { Amount = EventModels.MaxAmount + 1 }.AppendTo(buffer));
        Assert.Equal(0, buffer.RowCount);
    }

    [Fact]
    public void BufferedBytes_ManyRows_FollowsTheCompressedSize()
    {
        using var buffer = new RawEventBuffer();
        var payload = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("""{"field":"value"},""", 60)));
        for (var i = 0; i < 60_000; i++)
            new EventModel { Offset = i, Payload = payload }.AppendTo(buffer);
        Assert.True(buffer.PayloadBytes > 60_000_000);
        Assert.InRange(buffer.BufferedBytes, 1, 8_000_000);
    }

    [Fact]
    public async Task VerifyAsync_GoodFile_Passes()
    {
        using var file = File(EventModels.Mixed(41, 2000), 500);
        await ParquetSerializer.VerifyAsync(file, Token);
    }

    [Fact]
    public async Task VerifyAsync_AnyByteOfTheFooterFlipped_Throws()
    {
        using var file = File(EventModels.Mixed(42, 50), 500);
        var bytes = file.Content.ToArray();
        var footer = BitConverter.ToInt32(bytes, bytes.Length - 8);
        for (var at = bytes.Length - footer - 8; at < bytes.Length; at += 37)
        {
            using var writable = new WritableCopy(file);
            writable.Flip(at);
            await Assert.ThrowsAsync<InvalidDataException>(() => ParquetSerializer.VerifyAsync(writable.File, Token));
        }
    }

    [Fact]
    public async Task VerifyAsync_WrongRowCount_Throws()
    {
        using var file = File(EventModels.Mixed(43, 50), 500);
        using var wrong = WritableCopy.Expecting(file, [new(49, file.Expected[0].OffsetSum)]);
        Assert.Contains("49 were written", (await Assert.ThrowsAsync<InvalidDataException>(() => ParquetSerializer.VerifyAsync(wrong, Token))).Message);
    }

    [Fact]
    public async Task VerifyAsync_OtherOffsets_Throws()
    {
        using var file = File(EventModels.Mixed(44, 50), 500);
        using var wrong = WritableCopy.Expecting(file, [new(50, file.Expected[0].OffsetSum + 1)]);
        Assert.Contains("stream offsets", (await Assert.ThrowsAsync<InvalidDataException>(() => ParquetSerializer.VerifyAsync(wrong, Token))).Message);
    }

    [Fact]
    public async Task VerifyAsync_BrokenFileWithRightHash_Throws()
    {
        using var file = File(EventModels.Mixed(45, 50), 500);
        var bytes = file.Content.ToArray();
        bytes[^20] ^= 0xFF;
        bytes[^1] = (byte)'X';
        using var wrong = WritableCopy.Of(bytes, file.Expected.ToArray());
        await Assert.ThrowsAsync<InvalidDataException>(() => ParquetSerializer.VerifyAsync(wrong, Token));
    }

    [Fact]
    public async Task ReadAsync_NotParquet_Throws()
    {
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await foreach (var _ in ParquetSerializer.ReadAsync(new MemoryStream(new byte[100]), Token))
            {
            }
        });
    }

    [Fact]
    public async Task Roundtrip_AnyEvents_Equal()
    {
        var text = Gen.OneOf(Gen.String[Gen.Char, 0, 100].Select(WithoutLoneSurrogates), Gen.Const("x"), Gen.Const(""), Gen.Const("😀")).Null();
        var model = Gen.Select(
            text.Array[EventModel.TextColumns.Length], Gen.Long[EventModels.FirstMicros, EventModels.LastMicros].Nullable(), Gen.Long.Nullable(), Gen.Byte.Array[0, 300], Gen.Long, Gen.Bool,
            (texts, time, amount, payload, offset, duplicate) => new EventModel
            {
                Texts = texts!, TimestampMicros = time, Amount = amount, Payload = payload, Offset = offset, Duplicate = duplicate, EnqueuedAt = offset / 1000, MessageId = texts[0] is "" ? null : texts[0],
            });
        var rowsPerGroup = Gen.Int[1, 60];
        await Gen.Select(model.Array[1, 120], rowsPerGroup).ForEachAsync(36, 150, async sample =>
        {
            using var buffer = new RawEventBuffer(sample.Item2);
            AssertEqual(sample.Item1, await RoundtripAsync(buffer, sample.Item1));
        });
    }

    private static string WithoutLoneSurrogates(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static ParquetFile File(EventModel[] models, int rowsPerGroup)
    {
        using var buffer = new RawEventBuffer(rowsPerGroup);
        foreach (var model in models)
            model.AppendTo(buffer);
        return ParquetSerializer.Serialize(buffer, ParquetOnDisk.ArchivedAt);
    }

    private static async Task<List<ArchivedEvent>> RoundtripAsync(RawEventBuffer buffer, EventModel[] models)
    {
        foreach (var model in models)
            model.AppendTo(buffer);
        using var file = ParquetSerializer.Serialize(buffer, ParquetOnDisk.ArchivedAt);
        await ParquetSerializer.VerifyAsync(file, Token);
        return await ReadAsync(file);
    }

    private static async Task<List<ArchivedEvent>> ReadAsync(ParquetFile file)
    {
        await using var stream = file.OpenRead();
        var events = new List<ArchivedEvent>();
        await foreach (var archived in ParquetSerializer.ReadAsync(stream, Token))
            events.Add(archived);
        return events;
    }

    private static void AssertEqual(EventModel[] models, List<ArchivedEvent> events)
    {
        Assert.Equal(models.Length, events.Count);
        for (var i = 0; i < models.Length; i++)
        {
            var model = models[i];
            var archived = events[i];
            string?[] texts =
            [
                archived.TransactionId, archived.Currency, archived.PaymentMethod, archived.PaymentStatus, archived.CustomerId, archived.CustomerEmail, archived.CustomerCountry,
                archived.MerchantId, archived.MerchantName, archived.MerchantCategory, archived.TransactionType, archived.Channel, archived.DeviceType,
                archived.CorrelationId, archived.Metadata, archived.ComplianceViolations, archived.ViolationSeverity,
            ];
            Assert.Equal(EventModel.TextColumns.Select(c => c == "correlation_id" ? model.CorrelationId : model.Text(c)), texts);
            Assert.Equal(model.TimestampMicros, archived.TransactionTimestampMicros);
            Assert.Equal(model.Amount is { } amount ? (decimal)amount / 10_000 : null, archived.Amount);
            Assert.Equal(
                (model.MessageId, model.Partition, model.Offset, model.EnqueuedAt, ParquetOnDisk.ArchivedAt, model.Origin, model.OriginId, model.Duplicate, model.Errors.Length == 0),
                (archived.MessageId, archived.Partition, archived.Offset, archived.EnqueuedAtMicros, archived.ArchivedAtMicros, archived.Origin, archived.OriginId, archived.Duplicate, archived.IsValid));
            Assert.Equal(model.Errors.Length == 0 ? null : Encoding.UTF8.GetString(new ErrorsText().Write(model.Errors)), archived.Errors);
            Assert.Equal(model.Payload, archived.RawPayload);
        }
    }

    /// <summary>A file over memory that the test may damage.</summary>
    private sealed class WritableCopy : IDisposable
    {
        private readonly byte[] _bytes;

        public WritableCopy(ParquetFile file)
        {
            _bytes = file.Content.ToArray();
            File = Of(_bytes, file.Expected.ToArray());
        }

        public ParquetFile File { get; }

        public static ParquetFile Of(byte[] bytes, ExpectedRowGroup[] expected) => new([bytes], [], expected);

        public static ParquetFile Expecting(ParquetFile file, ExpectedRowGroup[] expected) => Of(file.Content.ToArray(), expected);

        public void Flip(int at) => _bytes[at] ^= 0x10;

        public void Dispose() => File.Dispose();
    }
}
