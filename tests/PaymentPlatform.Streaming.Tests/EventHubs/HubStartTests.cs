using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class HubStartTests
{
    [Theory]
    [InlineData(true, 0, -1, 0, 0)] // never written to
    [InlineData(false, 0, 41, 0, 42)]
    [InlineData(false, 30, 41, 30, 42)]
    [InlineData(true, 30, 41, 42, 42)] // all of it gone
    [InlineData(true, -1, -1, 0, 0)]
    public void From_WhatTheServiceSays_IsFirstAndNext(bool isEmpty, long beginning, long last, long first, long next) =>
        Assert.Equal(new HubPartition(first, next), HubPartition.From(isEmpty, beginning, last));

    [Theory]
    [InlineData(35, 34L, 0)] // resume: after an event that is there
    [InlineData(42, 41L, 0)] // at the end
    [InlineData(30, null, 0)] // at the beginning
    [InlineData(12, null, 18)] // older than retention
    public void For_PositionInOrBelowTheLog_NamesOnlyEventsThatTheLogHolds(long position, long? after, long lost) =>
        Assert.Equal(new HubStart(after, lost), HubStart.For(position, new(30, 42)));

    [Fact]
    public void For_EmptyPartition_BeginsAtItsBeginning()
    {
        Assert.Equal(new HubStart(null, 0), HubStart.For(42, new(42, 42)));
        Assert.Equal(new HubStart(null, 42), HubStart.For(0, new(42, 42)));
    }

    [Fact]
    public void For_PositionBeyondTheEnd_IsAnotherLog() => Assert.Null(HubStart.For(43, new(30, 42)));
}
