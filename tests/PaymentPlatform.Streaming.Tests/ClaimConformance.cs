namespace PaymentPlatform.Streaming.Tests;

/// <summary>Claims: what every transport that commits them with the append must do.</summary>
public abstract class ClaimConformance : IAsyncLifetime
{
    private StreamFixture? _fixture;

    protected StreamFixture Fixture => _fixture!;

    protected abstract Task<StreamFixture> CreateFixtureAsync();

    public async ValueTask InitializeAsync() => _fixture = await CreateFixtureAsync();

    public async ValueTask DisposeAsync()
    {
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Publish_SameClaimTwice_IsTakenOnceAndTellsTheFirstOutcome()
    {
        await using var publisher = Fixture.CreatePublisher();
        var first = await publisher.PublishAsync(Messages.Numbered(0, 3), Messages.Claim("key", 0, "hash", "outcome", 0, 3));
        var second = await publisher.PublishAsync(Messages.Numbered(0, 3), Messages.Claim("key", 0, "other hash", "other outcome", 0, 3));

        AssertFirst(first[0], "hash", "outcome");
        AssertRepeat(second[0], "hash", "outcome");
        await AssertHoldsAsync(publisher, Enumerable.Range(0, 3));
    }

    [Fact]
    public async Task Publish_SomeClaimsTaken_AppendsOnlyTheOthers()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 2), Messages.Claim("key", 0, "h0", "o0", 0, 2));

        var outcomes = await publisher.PublishAsync(
            Messages.Numbered(0, 7), Messages.Claim("key", 0, "h0", "x", 0, 2), Messages.Claim("key", 1, "h1", "o1", 2, 3));

        AssertRepeat(outcomes[0], "h0", "o0");
        AssertFirst(outcomes[1], "h1", "o1");
        // 5 and 6 are covered by no claim.
        await AssertHoldsAsync(publisher, Enumerable.Range(0, 7));
    }

    [Fact]
    public async Task Publish_SameClaimTwiceInOneCall_SecondRepeatsTheFirst()
    {
        await using var publisher = Fixture.CreatePublisher();
        var outcomes = await publisher.PublishAsync(
            Messages.Numbered(0, 4), Messages.Claim("event", 0, "a", "1", 0, 2), Messages.Claim("event", 0, "b", "2", 2, 2));
        var again = await publisher.PublishAsync(
            Messages.Numbered(0, 4), Messages.Claim("event", 0, "c", "3", 0, 2), Messages.Claim("event", 0, "d", "4", 2, 2));

        AssertFirst(outcomes[0], "a", "1");
        AssertRepeat(outcomes[1], "a", "1");
        Assert.All(again, o => AssertRepeat(o, "a", "1"));
        await AssertHoldsAsync(publisher, Enumerable.Range(0, 2));
    }

    [Fact]
    public async Task Publish_ClaimWithoutMessages_IsRemembered()
    {
        await using var publisher = Fixture.CreatePublisher();
        AssertFirst((await publisher.PublishAsync([], Messages.Claim("empty", 2, "h", "all rejected", 0, 0)))[0], "h", "all rejected");

        AssertRepeat((await publisher.PublishAsync([], Messages.Claim("empty", 2, "i", "", 0, 0)))[0], "h", "all rejected");
        AssertFirst((await publisher.PublishAsync([], Messages.Claim("empty", 3, "j", "another chunk", 0, 0)))[0], "j", "another chunk");
        await AssertHoldsAsync(publisher, []);
    }

    [Fact]
    public async Task Publish_SameClaimsFromManyCallsOfTwoPublishersAtOnce_EachIsTakenOnce()
    {
        await using var one = Fixture.CreatePublisher();
        await using var two = Fixture.CreatePublisher();
        const int claims = 60;
        var calls = Enumerable.Range(0, claims * 6).Select(i => (Number: i, Key: i % claims)).OrderBy(c => (c.Number * 7919) % 361).ToArray();

        var outcomes = await Task.WhenAll(calls.Select(async c =>
        {
            // Two claims a call, and in both orders: the locks must not care.
            var other = (c.Key + 1 + c.Number % 5) % claims;
            var publisher = c.Number % 2 == 0 ? one : two;
            var result = await publisher.PublishAsync(
                [.. Messages.Numbered(c.Key, 1), .. Messages.Numbered(other, 1)],
                Messages.Claim($"claim-{c.Key}", 0, "h", $"{c.Number}", 0, 1), Messages.Claim($"claim-{other}", 0, "h", $"{c.Number}", 1, 1));
            return new[] { (c.Key, result[0]), (other, result[1]) };
        }));

        foreach (var claim in outcomes.SelectMany(o => o).GroupBy(o => o.Item1))
        {
            var winner = Assert.Single(claim, o => !o.Item2.IsRepeat).Item2;
            Assert.All(claim, o => Assert.Equal(winner.Outcome.Text(), o.Item2.Outcome.Text()));
        }

        await AssertHoldsAsync(one, Enumerable.Range(0, claims));
    }

    [Theory]
    [InlineData("", 0, 1)]
    [InlineData("nul\0", 0, 1)]
    [InlineData("outside", 1, 1)]
    [InlineData("negative", -1, 1)]
    public async Task Publish_ClaimThatCannotBe_ThrowsAndTakesNothing(string key, int first, int count)
    {
        await using var publisher = Fixture.CreatePublisher();

        await Assert.ThrowsAsync<ArgumentException>(async () => await publisher.PublishAsync(Messages.Numbered(0, 1), Messages.Claim(key, 0, "h", "o", first, count)));

        await AssertHoldsAsync(publisher, []);
    }

    [Fact]
    public async Task Publish_ClaimKeyWithLoneSurrogate_ThrowsAndTakesNothing()
    {
        // Not a theory's argument: attributes hold UTF-8, which has no lone surrogates.
        await Publish_ClaimThatCannotBe_ThrowsAndTakesNothing(new string((char)0xd800, 1), 0, 1);
    }

    private static void AssertFirst(ClaimOutcome outcome, string hash, string text) =>
        Assert.Equal((false, hash, text), (outcome.IsRepeat, outcome.BodyHash.Text(), outcome.Outcome.Text()));

    private static void AssertRepeat(ClaimOutcome outcome, string hash, string text) =>
        Assert.Equal((true, hash, text), (outcome.IsRepeat, outcome.BodyHash.Text(), outcome.Outcome.Text()));

    /// <summary>The stream holds exactly these numbers, each once.</summary>
    private async Task AssertHoldsAsync(MessagePublisher publisher, IEnumerable<int> numbers)
    {
        // One in each partition, behind all that came before.
        for (var i = 0; i < 100; i++)
            await publisher.PublishAsync(Messages.Of("end", key: $"end-{i}"));
        await using var reader = await TestReader.CreateAsync(Fixture, $"check-{Guid.NewGuid():N}");
        await reader.UntilAsync(() => reader.Seen.Count(m => m.Text == "end") == 100, "the end");
        Assert.Equal(numbers.Select(n => $"{n}").Order(), reader.Seen.Where(m => m.Text != "end").Select(m => m.Text).Order());
    }
}
