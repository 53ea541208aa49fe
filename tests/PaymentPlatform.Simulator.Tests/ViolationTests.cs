namespace PaymentPlatform.Simulator.Tests;

/// <summary>Over 300,000 events of the shipped settings.</summary>
public sealed class ViolationTests(ShippedTraffic traffic) : IClassFixture<ShippedTraffic>
{
    public static TheoryData<string, double> Planted => new(SettingsReader.ReadFile(ShippedTraffic.SettingsFile).Violations.Where(v => v.Value > 0).Select(v => (ViolationPatterns.Name(v.Key), v.Value)));

    [Fact]
    public void Truth_EveryPattern_IsExactlyWhatTheDefinitionsMatch()
    {
        var matches = EventChecker.Matches(traffic.Events);

        Assert.Equal(Planted.Select(p => p.Data.Item1).Order(), matches.Select(m => m.Key).Order());
        foreach (var pattern in matches)
            Assert.Equal(pattern.Order(), traffic.Truth[pattern.Key].Select(t => t.event_number).Order());
    }

    [Fact]
    public void Truth_EveryLine_NamesItsEvent()
    {
        foreach (var line in traffic.Truth.SelectMany(t => t))
        {
            var planted = traffic.Events[(int)line.event_number - 1];
            Assert.Equal(planted.IsValid, line.is_valid);
            if (planted.IsValid)
                Assert.Equal(planted.Id, line.transaction_id);
            Assert.Equal(line.pattern is "structuring" or "rapid_fire" or "currency_mismatch", line.group_id is not null);
        }
    }

    [Fact]
    public void Truth_Groups_AreOfOneCustomer()
    {
        foreach (var group in traffic.Truth.SelectMany(t => t).Where(t => t.group_id is not null).GroupBy(t => t.group_id))
        {
            var events = group.Select(t => traffic.Events[(int)t.event_number - 1]).ToList();
            Assert.Single(events.Select(e => e.Customer).Distinct());
            Assert.True(events.Zip(events.Skip(1)).All(pair => pair.First.Micros <= pair.Second.Micros));
        }
    }

    /// <summary>Within five standard deviations of a draw; groups come in lumps, and the last ones of a run don't end.</summary>
    [Theory]
    [MemberData(nameof(Planted))]
    public void Truth_Frequency_IsWhatTheSettingsSay(string pattern, double share)
    {
        var tolerance = pattern switch
        {
            "structuring" => 0.15 * share,
            "rapid_fire" => 0.10 * share,
            _ => 5 * Math.Sqrt(share * 2 / ShippedTraffic.Total),
        };

        Assert.Equal(share, traffic.Truth[pattern].Count() / (double)ShippedTraffic.Total, tolerance);
    }

    [Fact]
    public void Truth_All_AreThirteenPercent() => Assert.Equal(0.13, traffic.Truth.Sum(t => t.Count()) / (double)ShippedTraffic.Total, 0.003);

    /// <summary>Clean ones; five standard deviations of a draw, of customers or merchants where those have the value.</summary>
    [Fact]
    public void Write_CleanEvents_HaveTheShares()
    {
        var settings = SettingsReader.ReadFile(ShippedTraffic.SettingsFile);
        var planted = traffic.Truth.SelectMany(t => t).Select(t => t.event_number).ToHashSet();
        var clean = traffic.Events.Where(e => !planted.Contains(e.Number) && e.IsValid).ToList();

        Check(settings.PaymentMethods, e => e.Method, 0.005);
        // At the beginning there is nothing to refund or to end.
        Check(settings.PaymentStatuses, e => e.Status, 0.005);
        Check(settings.Currencies, e => e.Currency, 0.005);
        Check(settings.Countries, e => e.Country, 0.005);
        Check(settings.MerchantCategories, e => e.Category, 0.005);

        void Check(IReadOnlyList<Share> shares, Func<CheckedEvent, string?> value, double tolerance)
        {
            var counts = clean.CountBy(e => value(e)!).ToDictionary(c => c.Key, c => c.Value / (double)clean.Count);
            Assert.Equal(shares.Select(s => s.Name).Order(), counts.Keys.Order());
            Assert.All(shares, share => Assert.Equal(share.Part, counts[share.Name], tolerance));
        }
    }
}
