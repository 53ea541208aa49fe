using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class MemoryHubClaimConformance(PlatformFixture platform) : ClaimConformance
{
    protected override async Task<StreamFixture> CreateFixtureAsync() => await MemoryHubFixture.CreateAsync(platform);
}
