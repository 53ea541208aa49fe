using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Kafka;

public sealed class KafkaStreamConformance(PlatformFixture platform) : StreamConformance
{
    protected override async Task<StreamFixture> CreateFixtureAsync() => await KafkaStreamFixture.CreateAsync(platform);
}
