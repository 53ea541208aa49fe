using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

public sealed class PostgresStreamConformance(PlatformFixture platform) : StreamConformance
{
    protected override async Task<StreamFixture> CreateFixtureAsync() => await PostgresStreamFixture.CreateAsync(platform);
}
