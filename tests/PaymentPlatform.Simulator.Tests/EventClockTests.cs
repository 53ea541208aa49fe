namespace PaymentPlatform.Simulator.Tests;

public sealed class EventClockTests
{
    private static readonly DateTimeOffset Start = new(2025, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(100)]
    [InlineData(7)]
    [InlineData(300_000)]
    public void Next_WithoutHours_IsEven(double rate)
    {
        var profile = Profile($"event_time: {{ rate: {rate} }}");
        var clock = new EventClock(Start);

        for (var i = 0; i < 10_000; i++)
            Assert.Equal(i * 1e6 / rate, clock.Next(profile) - Micros(Start), 1.0);
    }

    [Fact]
    public void Next_HoursOfDay_HaveTheirShares()
    {
        var settings = SettingsReader.ReadFile(ShippedTraffic.SettingsFile) with { EventTimeRate = 1 };
        var profile = new TrafficProfile(settings, validOnly: false);
        var clock = new EventClock(Start);
        var hours = new int[24];
        for (var i = 0; i < 86_400; i++)
            hours[(clock.Next(profile) - Micros(Start)) / 3_600_000_000]++;

        Assert.All(hours.Select((count, hour) => (count, hour)), h => Assert.Equal(settings.HoursOfDay![h.hour] * 86_400, h.count, 1.0));
    }

    [Fact]
    public void Next_HoursWithoutEvents_AreLeftOut()
    {
        var profile = Profile("event_time: { rate: 0.01 }\nhours_of_day: [0,0,0.5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0.5,0,0,0]");
        var clock = new EventClock(Start);

        var hours = Enumerable.Range(0, 5_000).Select(_ => clock.Next(profile) / 3_600_000_000 % 24).CountBy(h => h).ToDictionary();

        Assert.Equal([2, 20], hours.Keys.Order());
        Assert.Equal(hours[2], hours[20], 450.0);
    }

    private static TrafficProfile Profile(string yaml) => new(SettingsReader.Read(yaml, "test.yaml"), validOnly: false);

    private static long Micros(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds() * 1_000;
}
