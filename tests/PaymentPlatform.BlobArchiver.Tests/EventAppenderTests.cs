using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

public sealed class EventAppenderTests
{
    private static readonly StreamPartition P0 = new("payments", "log", 0);

    [Fact]
    public async Task Append_ParserThrows_KeepsTheEventAsInvalid()
    {
        using var buffer = new RawEventBuffer();
        using var log = new LogCollector();
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var calls = 0;
        var appender = new EventAppender(CardDataMode.Mask, (body, at) => ++calls == 2 ? throw new InvalidOperationException("cannot read 4111111111111111") : parser.Parse(body, at), log.CreateLogger(""));
        for (var i = 0; i < 3; i++)
            appender.Append(buffer, P0, TestBatch.Event(i, DateTimeOffset.UnixEpoch.AddYears(56)));

        Assert.Equal((3, 2), (buffer.RowCount, buffer.ValidCount));
        using var file = ParquetSerializer.Serialize(buffer, 0);
        await ParquetSerializer.VerifyAsync(file, CancellationToken.None);
        var rows = new List<ArchivedEvent>();
        await foreach (var row in ParquetSerializer.ReadAsync(file.OpenRead(), CancellationToken.None))
            rows.Add(row);
        Assert.Equal(3, rows.Count);
        Assert.True(log.Has(LogLevel.Error, "log/0 offset 1"));
        Assert.False(log.Has(LogLevel.Error, "4111"));
    }

    [Fact]
    public void Append_EverythingFails_Throws()
    {
        using var buffer = new RawEventBuffer();
        var appender = new EventAppender(CardDataMode.Mask, NullLogger.Instance);
        // Never skipped in silence.
        Assert.ThrowsAny<Exception>(() => appender.Append(buffer, default, TestBatch.Event(0, DateTimeOffset.UnixEpoch)));
        Assert.Equal(0, buffer.RowCount);
    }
}
