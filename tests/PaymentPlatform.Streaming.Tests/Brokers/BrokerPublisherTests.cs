using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Brokers;

public sealed class BrokerPublisherTests(PlatformFixture platform) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Publish_WithoutClaims_SendsWithoutIdentities()
    {
        var publisher = new ListPublisher(_database);

        Assert.Empty(await publisher.PublishAsync(Messages.Numbered(0, 2)));

        Assert.Equal([("0", "", 0), ("1", "", 0)], publisher.Sent);
    }

    [Fact]
    public async Task Publish_Claim_SendsEachEventWithItsPlaceInTheRequest()
    {
        var publisher = new ListPublisher(_database);
        var claim = new IdempotencyClaim("key", 2, "h"u8.ToArray(), "o"u8.ToArray(), 1, 2, FirstIndex: 1000, Orders: new[] { 3, 7 });

        var outcome = Assert.Single(await publisher.PublishAsync(Messages.Numbered(0, 3), claim));

        Assert.False(outcome.IsRepeat);
        Assert.Equal([("0", "", 0), ("1", "key", 1003), ("2", "key", 1007)], publisher.Sent);
    }

    [Fact]
    public async Task Publish_AgainAfterTheEnd_SendsNothingAndTellsTheFirstOutcome()
    {
        var publisher = new ListPublisher(_database);
        await publisher.PublishAsync(Messages.Numbered(0, 3), Messages.Claim("key", 0, "h", "first", 0, 3));

        var outcome = Assert.Single(await publisher.PublishAsync(Messages.Numbered(0, 3), Messages.Claim("key", 0, "h", "second", 0, 3)));

        Assert.Equal((true, "h", "first"), (outcome.IsRepeat, outcome.BodyHash.Text(), outcome.Outcome.Text()));
        Assert.Equal(3, publisher.Sent.Count);
    }

    [Fact]
    public async Task Publish_SendFailed_NextAttemptSendsAgainUnderTheSameIdentities()
    {
        var publisher = new ListPublisher(_database) { After = () => throw new StreamUnavailableException("cut") };
        await Assert.ThrowsAsync<StreamUnavailableException>(async () => await publisher.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("key", 0, "h", "o", 0, 2)));
        publisher.After = () => Task.CompletedTask;

        var outcome = Assert.Single(await publisher.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("key", 0, "h", "o", 0, 2)));

        Assert.False(outcome.IsRepeat);
        Assert.Equal([("0", "key", 0), ("1", "key", 1), ("0", "key", 0), ("1", "key", 1)], publisher.Sent);
        Assert.Single(publisher.Identities.Distinct());
    }

    [Fact]
    public async Task Publish_KeyWhoseClaimIsForgotten_SendsUnderAnotherIdentity()
    {
        var publisher = new ListPublisher(_database);
        await publisher.PublishAsync(Messages.Numbered(0, 1), Messages.Claim("key", 0, "h", "o", 0, 1));
        await using (var forget = _database.CreateCommand("DELETE FROM ingest_idempotency"))
            await forget.ExecuteNonQueryAsync(Cancellation);

        var outcome = Assert.Single(await publisher.PublishAsync(Messages.Numbered(1, 1), Messages.Claim("key", 0, "another", "o", 0, 1)));

        Assert.False(outcome.IsRepeat);
        Assert.Equal([("0", "key", 0), ("1", "key", 0)], publisher.Sent);
        Assert.NotEqual(publisher.Identities[0], publisher.Identities[1]);
    }

    [Fact]
    public async Task Publish_SameBodyAtOnce_SecondWaitsForTheFirstAndSendsNothing()
    {
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = new ListPublisher(_database) { Before = () => { reached.SetResult(); return go.Task; } };
        var other = new ListPublisher(_database);
        var first = slow.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("key", 0, "h", "first", 0, 2)).AsTask();
        await reached.Task.WaitAsync(Cancellation);

        var second = other.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("key", 0, "h", "second", 0, 2)).AsTask();
        go.SetResult();

        Assert.False(Assert.Single(await first).IsRepeat);
        Assert.Equal("first", Assert.Single(await second).Outcome.Text());
        Assert.Empty(other.Sent);
    }

    [Fact]
    public async Task Publish_OtherBodyWhileTheFirstIsUnderWay_IsToldTheFirstHashAndSendsNothing()
    {
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = new ListPublisher(_database) { Before = () => { reached.SetResult(); return go.Task; } };
        var other = new ListPublisher(_database);
        var first = slow.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("key", 0, "h", "first", 0, 2)).AsTask();
        await reached.Task.WaitAsync(Cancellation);

        var outcome = Assert.Single(await other.PublishAsync(Messages.Numbered(5, 2), Messages.Claim("key", 0, "another", "second", 0, 2)));
        go.SetResult();
        await first;

        Assert.Equal((true, "h"), (outcome.IsRepeat, outcome.BodyHash.Text()));
        Assert.Empty(other.Sent);
    }

    [Fact]
    public async Task Publish_AttemptThatDiedLongAgo_IsTakenOver()
    {
        await using (var died = _database.CreateCommand("INSERT INTO ingest_idempotency (key, chunk, body_hash, outcome, sending_until) VALUES ('key', 0, 'h', 'died', now() - interval '1 second')"))
            await died.ExecuteNonQueryAsync(Cancellation);
        var publisher = new ListPublisher(_database);

        var outcome = Assert.Single(await publisher.PublishAsync(Messages.Numbered(0, 1), Messages.Claim("key", 0, "h", "mine", 0, 1)));

        Assert.Equal((false, "mine"), (outcome.IsRepeat, outcome.Outcome.Text()));
        Assert.Single(publisher.Sent);
    }

    [Fact]
    public async Task Publish_TooLarge_BeginsNoClaim()
    {
        var publisher = new ListPublisher(_database);
        await Assert.ThrowsAsync<MessageTooLargeException>(async () =>
            await publisher.PublishAsync([Messages.Of(new byte[ListPublisher.Limit + 1])], Messages.Claim("key", 0, "h", "o", 0, 1)));

        await using var claims = _database.CreateCommand("SELECT count(*) FROM ingest_idempotency");
        Assert.Equal(0L, await claims.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task Publish_FoundTooLargeInTheSendBesideARepeat_NamesItsPlaceInTheCall()
    {
        var publisher = new ListPublisher(_database);
        await publisher.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("taken", 0, "h", "o", 0, 2));
        // As a hub does whose own limit is lower: of the two that are sent it is the second.
        publisher.Before = () => throw new MessageTooLargeException(20, 10, 1);

        var error = await Assert.ThrowsAsync<MessageTooLargeException>(async () =>
            await publisher.PublishAsync(Messages.Numbered(0, 4), Messages.Claim("new", 0, "h", "o", 0, 1), Messages.Claim("taken", 0, "h", "o", 1, 2), Messages.Claim("new", 1, "h", "o", 3, 1)));

        Assert.Equal((20, 10, 3), (error.Size, error.Limit, error.Index));
    }

    [Fact]
    public async Task Publish_DatabaseAway_SaysSoAndSendsNothing()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=nowhere;Username=nobody;Timeout=5");
        var publisher = new ListPublisher(nowhere);

        var error = await Assert.ThrowsAsync<StreamUnavailableException>(async () => await publisher.PublishAsync(Messages.Numbered(0, 1), Messages.Claim("key", 0, "h", "o", 0, 1)));

        Assert.Contains("'paymentsdb'", error.Message);
        Assert.Empty(publisher.Sent);
    }
}
