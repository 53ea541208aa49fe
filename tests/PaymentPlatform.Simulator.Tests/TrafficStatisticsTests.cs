using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Simulator.Tests;

public sealed class TrafficStatisticsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _told = [];

    [Fact]
    public void Missed_AgainAndAgain_ToldOnceEveryHalfMinute()
    {
        var statistics = new TrafficStatistics(_time, _told.Add);
        for (var second = 0; second < 61; second++)
        {
            statistics.Missed($"fault {second}");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(["fault 0; trying again until it does.", "fault 30; trying again until it does.", "fault 60; trying again until it does."], _told);
        Assert.DoesNotContain("fault", statistics.Progress());
    }

    [Fact]
    public void Missed_NobodyToTell_IsInTheProgress()
    {
        var statistics = new TrafficStatistics(_time);
        statistics.Missed("nobody there");

        Assert.Contains("last fault: nobody there", statistics.Progress());
    }

    [Fact]
    public void Summary_NothingAnswered_TellsNoLatency()
    {
        var statistics = new TrafficStatistics(_time);
        statistics.Missed("nobody there");

        Assert.DoesNotContain("latency", statistics.Summary());
    }
}
