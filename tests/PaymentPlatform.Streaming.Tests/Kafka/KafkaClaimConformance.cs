using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Kafka;

public sealed class KafkaClaimConformance(PlatformFixture platform) : ClaimConformance
{
    protected override async Task<StreamFixture> CreateFixtureAsync() => await KafkaStreamFixture.CreateAsync(platform);
}
