using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class HubLogIdTests
{
    private const string Id = "20260102T030405.6780000Z";
    private static readonly DateTimeOffset s_createdOn = new(2026, 1, 2, 4, 4, 5, 678, TimeSpan.FromHours(1));

    [Fact]
    public void Decide_NothingKnown_IsTheCreationTimeInUtc() => Assert.Equal(Id, Decide(null, [], [new(0, 5)]));

    [Fact]
    public void Decide_LogHasAllThatIsKnown_IsTheKnownOne()
    {
        Assert.Equal(Id, Decide(Id, [(Id, 0, 5)], [new(3, 5)]));
        Assert.Equal(Id + "-3", Decide(Id + "-3", [(Id, 0, 100), (Id + "-3", 0, 5)], [new(0, 5)]));
    }

    [Fact]
    public void Decide_AnotherCreationTime_IsAnotherLogHoweverFarTheOldOneWas() =>
        Assert.Equal(Id, Decide("20250102T030405.6780000Z", [("20250102T030405.6780000Z", 0, 100)], [new(0, 0)]));

    [Fact]
    public void Decide_PositionBeyondTheEnd_IsTheNextLogOfTheHub()
    {
        Assert.Equal(Id + "-2", Decide(Id, [(Id, 0, 3), (Id, 1, 6)], [new(0, 5), new(0, 5)]));
        Assert.Equal(Id + "-3", Decide(Id + "-2", [(Id, 0, 3), (Id + "-2", 0, 6)], [new(0, 5)]));
    }

    [Fact]
    public void Decide_PositionInAPartitionThatIsNotThere_IsTheNextLogOfTheHub() =>
        Assert.Equal(Id + "-2", Decide(Id, [(Id, 4, 0)], [new(0, 5)]));

    [Fact]
    public void Decide_KnownLogForgottenButReadBefore_SkipsWhatWasReadFurther() =>
        Assert.Equal(Id + "-3", Decide(null, [(Id, 0, 50), (Id + "-2", 0, 20)], [new(0, 5)]));

    [Theory]
    [InlineData(Id, true)]
    [InlineData(Id + "-2", true)]
    [InlineData(Id + "2", false)]
    [InlineData("20260102T030405.6780001Z", false)]
    public void BelongsTo_IdOfALog_GoesByTheHub(string logId, bool belongs) => Assert.Equal(belongs, HubLogId.BelongsTo(logId, s_createdOn));

    private static string Decide(string? known, (string LogId, int Partition, long Next)[] positions, HubPartition[] partitions) => HubLogId.Decide(
        known,
        positions.GroupBy(p => p.LogId).ToDictionary(g => g.Key, IReadOnlyDictionary<int, long> (g) => g.ToDictionary(p => p.Partition, p => p.Next)),
        s_createdOn,
        partitions);
}
