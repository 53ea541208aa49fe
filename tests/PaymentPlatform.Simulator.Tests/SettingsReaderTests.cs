namespace PaymentPlatform.Simulator.Tests;

public sealed class SettingsReaderTests
{
    [Fact]
    public void ReadFile_Shipped_IsTheDefaultsWithViolations()
    {
        var shipped = SettingsReader.ReadFile(ShippedTraffic.SettingsFile);

        Assert.Equal(0.13, shipped.Violations.Values.Sum(), 9);
        Assert.All(ViolationPatterns.All, p => Assert.Equal(ViolationPatterns.DefaultShare(p), shipped.Violations[p]));
        Assert.Equal(24, shipped.HoursOfDay!.Count);
        Assert.NotEmpty(shipped.AmountsByCurrency);
        Assert.Equal(SettingsText.Of(SimulatorSettings.Default), SettingsText.Of(shipped with
        {
            Violations = SimulatorSettings.Default.Violations, HoursOfDay = null, AmountsByCurrency = SimulatorSettings.Default.AmountsByCurrency,
        }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("payment_methods:\nviolations: ~\nseed: null\n")]
    public void Read_NothingSaid_IsTheDefaults(string yaml) => Assert.Equal(SettingsText.Of(SimulatorSettings.Default), SettingsText.Of(SettingsReader.Read(yaml, "test.yaml")));

    [Fact]
    public void Read_FamilyOfOneShare_IsSpreadAsTheDefaultsAre()
    {
        var violations = SettingsReader.Read("violations: { aml: 0.04 }", "test.yaml").Violations;

        Assert.Equal(0.012, violations[ViolationPattern.Structuring], 9);
        Assert.Equal(0.016, violations[ViolationPattern.LargeAmount], 9);
        Assert.DoesNotContain(ViolationPattern.InvalidEmail, violations.Keys);
    }

    [Theory]
    [InlineData("payment_methods:\n  credit_card: 0.5\n  debit_card: 0.4", 1, "payment_methods sums to 0.9 instead of 1: add 0.1.")]
    [InlineData("rate: 5\npayment_statuses:\n  completed: 0.9\n  failed: 0.2", 2, "payment_statuses sums to 1.1 instead of 1: take away 0.1.")]
    [InlineData("currencies: { USD: 0.7, EUR: 0.29 }", 1, "currencies sums to 0.99")]
    [InlineData("countries: { US: 0.7 }", 1, "countries sums to 0.7")]
    [InlineData("merchant_categories: { retail: 0.7 }", 1, "merchant_categories sums to 0.7")]
    [InlineData("transaction_types: { payment: 0.7 }", 1, "transaction_types sums to 0.7")]
    [InlineData("\nhours_of_day: [0.1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", 2, "hours_of_day sums to 0.1")]
    [InlineData("hours_of_day: [0.5, 0.5]", 1, "hours_of_day must be a list of 24")]
    [InlineData("hours_of_day: [1,0,0,0,0,0,0,0,0,0,0,0,0,\n 0,0,0,0,0,0,0,0,0,0,-1]", 2, "hours_of_day[23]")]
    [InlineData("payment_methods:\n  credit_card: much", 2, "payment_methods.credit_card is 'much'")]
    [InlineData("payment_methods:\n  credit_card: -1", 2, "payment_methods.credit_card is -1")]
    [InlineData("payment_statuses:\n  sucess: 1", 2, "payment_statuses.sucess is not a status")]
    [InlineData("payment_statuses: { refunded: 0.6, completed: 0.4 }", 1, "more refunded (0.6) than completed (0.4)")]
    [InlineData("transaction_types: { refund: 1 }", 1, "transaction_types.refund belongs to payment_statuses")]
    [InlineData("currencies: { USD: 0.5,\n  XXQ: 0.5 }", 2, "currencies.XXQ is not a currency")]
    [InlineData("countries: { Germany: 1 }", 1, "countries.Germany is not a country")]
    [InlineData("seed: 1\nvoilations: 3", 2, "voilations is not a setting")]
    [InlineData("amounts:\n  distribution: gamma", 2, "amounts.distribution is 'gamma'")]
    [InlineData("amounts:\n  median: 4", 2, "amounts.median is not a setting")]
    [InlineData("amounts: { min: 50,\n  max: 40 }", 1, "amounts.min leaves no room")]
    [InlineData("amounts: { mean: 6000 }", 1, "amounts.mean is 6000")]
    [InlineData("amounts:\n  mean: 200\n  max: 9500", 3, "amounts.max allows clean amounts up to 9500 USD")]
    [InlineData("amounts:\n  by_currency:\n    JPY: { min: 1, max: 1400000 }", 3, "amounts.by_currency.JPY.max allows")]
    [InlineData("thresholds: { high_value: { USD: 5000 } }", 0, "currencies allows clean amounts up to 5000 USD")]
    [InlineData("thresholds:\n  risk_score: 8", 2, "thresholds.risk_score is 8")]
    [InlineData("violations:\n  aml:\n    smurfing: 0.1", 3, "violations.aml.smurfing is not a setting")]
    [InlineData("violations:\n  aml:\n    structuring: 1.2", 3, "violations.aml.structuring is 1.2")]
    [InlineData("violations: { aml: 0.6, kyc: 0.6 }", 1, "violations sums to 1.2")]
    [InlineData("violations: { pci: 0.1 }\npayment_methods: { cash_equivalent: 1 }", 1, "violations has card_data_missing, but payment_methods")]
    [InlineData("violations: { aml: 0.1 }\ncurrencies: { CHF: 1 }", 1, "violations has structuring, but thresholds.high_value")]
    [InlineData("rate: -5", 1, "rate is -5")]
    [InlineData("total: 1.5", 1, "total is '1.5'")]
    [InlineData("duration: soon", 1, "duration is 'soon'")]
    [InlineData("destination:\n  target: pigeon", 2, "destination.target is 'pigeon'")]
    [InlineData("destination:\n  batch_size: 0", 2, "destination.batch_size is 0")]
    [InlineData("destination:\n  url: nowhere", 2, "destination.url is 'nowhere'")]
    [InlineData("event_time:\n  start: yesterday", 2, "event_time.start is 'yesterday'")]
    [InlineData("rate: 1\nrate: 2", 2, "not YAML")]
    [InlineData("rate: [1", 2, "not YAML")]
    [InlineData("currencies: [1,\n2]", 0, "not YAML")]
    [InlineData("- rate", 1, "must be fields")]
    [InlineData("rate: 1\n---\nrate: 2", 3, "second document")]
    public void Read_Wrong_NamesFieldAndLine(string yaml, long line, string fault)
    {
        var exception = Assert.Throws<SettingsException>(() => SettingsReader.Read(yaml, "test.yaml"));

        Assert.Contains(fault, exception.Message);
        Assert.StartsWith(line == 0 ? "test.yaml" : $"test.yaml:{line}: ", exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
