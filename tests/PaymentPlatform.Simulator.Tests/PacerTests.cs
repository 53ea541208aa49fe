using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Simulator.Tests;

public sealed class PacerTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(30_000)]
    [InlineData(7)]
    [InlineData(0.5)]
    public void Due_OverAMinute_IsTheRate(double rate)
    {
        var pacer = new Pacer(rate, Interval, _time);
        var sum = 0;
        for (var i = 0; i < 3_000; i++)
        {
            _time.Advance(Interval);
            sum += pacer.Due();
        }

        Assert.InRange(sum, rate * 60 - 1, rate * 60);
    }

    [Fact]
    public void Due_AfterAHoldUp_CatchesUpOnASecondAtTwiceTheRate()
    {
        var pacer = new Pacer(1_000, Interval, _time);
        _time.Advance(TimeSpan.FromSeconds(30));
        var dues = new List<int> { pacer.Due() };
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(Interval);
            dues.Add(pacer.Due());
        }

        Assert.All(dues, due => Assert.InRange(due, 0, 40));
        Assert.InRange(dues.Sum(), 2_995, 3_000);
    }
}
