using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

public sealed class PostgresClaimConformance(PlatformFixture platform) : ClaimConformance
{
    protected override async Task<StreamFixture> CreateFixtureAsync() => await PostgresStreamFixture.CreateAsync(platform);
}
