using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Query.Replay;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

/// <summary>How fast a replay publishes.</summary>
public sealed class ReplayRateTests(PlatformFixture platform)
{
    [Fact]
    public async Task Run_Rate_IsKept()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var host = await QueryHost.StartAsync(platform, services: services => services.AddSingleton<TimeProvider>(clock));
        var files = RandomArchive.Files(new Random(6), files: 1, rows: 400);
        await ArchiveAsync(host, files);
        var expected = Expected(files);
        var replay = await AskAsync(host, "\"rate\": 50");
        // It began after the last look that did not find it running.
        var began = clock.GetUtcNow();
        await Eventually.TrueAsync(
            async () =>
            {
                if (await IsRunningAsync(host))
                    return true;
                began = clock.GetUtcNow();
                clock.Advance(TimeSpan.FromMilliseconds(200));
                return false;
            },
            "the replay begins");

        while (Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") != "done")
        {
            // A chunk of ten at once, then fifty a second.
            var published = (await StreamContents.ReadAsync(host, Target)).Count;
            Assert.True(published <= 10 + (50 * (clock.GetUtcNow() - began).TotalSeconds), $"{published} after {clock.GetUtcNow() - began}");
            clock.Advance(TimeSpan.FromMilliseconds(50));
        }

        AssertDelivered(expected, await StreamContents.ReadAsync(host, Target));
        Assert.True((clock.GetUtcNow() - began).TotalSeconds >= (expected.Count - 10) / 50.0);
    }

    [Fact]
    public async Task Take_TokenBucket_NeverMoreThanRateAndBurst()
    {
        var clock = new FakeTimeProvider();
        var bucket = new TokenBucket(10, 5, clock);
        Assert.True(bucket.TakeAsync(5, CancellationToken.None).IsCompletedSuccessfully);
        var next = bucket.TakeAsync(1, CancellationToken.None);
        Assert.False(next.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(101));
        await next;
        // A long pause brings a burst and no more.
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(bucket.TakeAsync(5, CancellationToken.None).IsCompletedSuccessfully);
        Assert.False(bucket.TakeAsync(1, CancellationToken.None).IsCompleted);
    }
}
