using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>What a broker delivers twice under one idempotency key is kept twice and flagged.</summary>
public sealed class RepeatTests(PlatformFixture fixture)
{
    [Fact]
    public async Task Archive_RepeatsOfAKey_FlagsAllButTheFirst()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 3);
        var archiver = await StartAsync(platform);
        await PublishAsync(platform, "first", 0, 300);
        await platform.WaitForArchivedAsync(300);

        // Some again in the same file as others that are new, and some in the same file as their first.
        await PublishAsync(platform, "second", 100, 300);
        await PublishAsync(platform, "third", 350, 100);
        await platform.WaitForArchivedAsync(700);
        // A successor knows it from the database.
        await archiver.KillAsync();
        await StartAsync(platform);
        await PublishAsync(platform, "fourth", 0, 10);
        await platform.WaitForArchivedAsync(710);

        await AssertFlagsAsync(platform);
    }

    [Fact]
    public async Task Archive_KilledAtRandom_FlagsAllButTheFirst()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        var random = new Random(4);
        for (var round = 0; round < 8; round++)
        {
            var archiver = await StartAsync(platform, ("FlushRows", "40"));
            await PublishAsync(platform, $"round-{round}", round * 50, 100);
            var some = (round * 100) + random.Next(100);
            await Eventually.TrueAsync(async () => await platform.CountArchivedAsync() >= some, "some of it");
            await archiver.KillAsync();
        }

        await StartAsync(platform);
        await platform.WaitForArchivedAsync(800);

        await AssertFlagsAsync(platform);
    }

    [Fact]
    public async Task Restore_FileWithRepeats_FlagsTheSameEventsAgain()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 3);
        var archiver = await StartAsync(platform);
        await PublishAsync(platform, "first", 0, 100);
        await PublishAsync(platform, "second", 0, 100);
        await platform.WaitForArchivedAsync(200);
        var before = (await ArchiveContents.ReadAsync(platform)).Select(r => (r.Partition, r.Offset, r.Duplicate)).ToList();
        Assert.Equal(100, before.Count(r => r.Duplicate));
        await foreach (var blob in platform.Container.GetBlobsAsync(cancellationToken: TestContext.Current.CancellationToken))
            await platform.Container.DeleteBlobAsync(blob.Name, cancellationToken: TestContext.Current.CancellationToken);

        await archiver.Host.Services.GetRequiredService<LostFileRestorer>().RestoreAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before, (await ArchiveContents.ReadAsync(platform)).Select(r => (r.Partition, r.Offset, r.Duplicate)));
    }

    private static Task<TestArchiver> StartAsync(TestPlatform platform, params (string, string)[] settings) => platform.StartArchiverAsync(a => a.ReadsIdentities = true, settings);

    private static Task PublishAsync(TestPlatform platform, string attempt, int first, int count) => platform.PublishAsync(
        Enumerable.Range(first, count).Select(i => ($"{attempt}-{i}", TestEvents.Json($"tx-{i}"), $"k-{i}", new MessageHeaders([new("idempotency_key", "order"), new("idempotency_index", $"{i * 17}")]))));

    private static async Task AssertFlagsAsync(TestPlatform platform)
    {
        var rows = await ArchiveContents.AssertCompleteAsync(platform, (int)await platform.CountArchivedAsync());
        foreach (var payment in rows.GroupBy(r => r.TransactionId))
        {
            Assert.Single(payment.Select(r => r.Partition).Distinct());
            Assert.Equal([false, .. Enumerable.Repeat(true, payment.Count() - 1)], payment.OrderBy(r => r.Offset).Select(r => r.Duplicate));
        }
    }
}
