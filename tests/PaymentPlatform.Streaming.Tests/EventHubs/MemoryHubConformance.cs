using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>The transport over a hub in memory: everything but the SDK, with leases and checkpoints in a real database.</summary>
public sealed class MemoryHubConformance(PlatformFixture platform) : StreamConformance
{
    protected override async Task<StreamFixture> CreateFixtureAsync() => await MemoryHubFixture.CreateAsync(platform);
}
