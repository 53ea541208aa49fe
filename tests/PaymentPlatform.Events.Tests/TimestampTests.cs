namespace PaymentPlatform.Events.Tests;

public sealed class TimestampTests
{
    [Theory]
    [InlineData("2025-12-08T12:42:14", "2025-12-08T12:42:14.000000")]
    [InlineData("2025-12-08 12:42:14", "2025-12-08T12:42:14.000000")]
    [InlineData("2025-12-08T12:42:14Z", "2025-12-08T12:42:14.000000")]
    [InlineData("2025-12-08T12:42:14.5Z", "2025-12-08T12:42:14.500000")]
    [InlineData("2025-12-08T12:42:14.123456", "2025-12-08T12:42:14.123456")]
    [InlineData("2025-12-08T12:42:14.123456999Z", "2025-12-08T12:42:14.123456")]
    [InlineData("2025-12-08T12:42:14.000000001+00:00", "2025-12-08T12:42:14.000000")]
    [InlineData("2025-12-08T12:42:14+02:00", "2025-12-08T10:42:14.000000")]
    [InlineData("2025-12-08T00:42:14+05:45", "2025-12-07T18:57:14.000000")]
    [InlineData("2025-12-07T23:42:14-08:00", "2025-12-08T07:42:14.000000")]
    [InlineData("2025-12-08T12:42:14-00:00", "2025-12-08T12:42:14.000000")]
    [InlineData("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000")]
    [InlineData("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000")]
    [InlineData("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999")]
    [InlineData("1583-01-01T00:00:00Z", "1583-01-01T00:00:00.000000")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000")]
    public void TryParse_Readable_IsUtcMicroseconds(string text, string utc)
    {
        Assert.True(Iso8601.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out var micros));
        Assert.Equal(utc, DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void TryParse_EveryDayOfFourCenturies_AgreesWithDateTime()
    {
        for (var day = new DateTime(1999, 1, 1); day.Year < 2402; day = day.AddDays(1))
        {
            Assert.True(Iso8601.TryParse(System.Text.Encoding.UTF8.GetBytes($"{day:yyyy-MM-dd} 13:14:15"), out var micros));
            Assert.Equal((day - DateTime.UnixEpoch).Days * 86_400_000_000L + ((13 * 60 + 14) * 60 + 15) * 1_000_000L, micros);
        }
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("2025-12-08")]
    [InlineData("2025-12-08T12:42")]
    [InlineData("2025-12-08T12:42:1")]
    [InlineData("2025-12-08t12:42:14")]
    [InlineData("2025-12-08T12:42:14z")]
    [InlineData("2025-13-08T12:42:14")]
    [InlineData("2025-00-08T12:42:14")]
    [InlineData("2025-12-00T12:42:14")]
    [InlineData("2025-04-31T12:42:14")]
    [InlineData("2025-02-29T12:42:14")]
    [InlineData("1900-02-29T12:42:14")]
    [InlineData("0000-01-01T00:00:00")]
    [InlineData("2025-12-08T24:00:00")]
    [InlineData("2025-12-08T23:60:00")]
    [InlineData("2025-12-31T23:59:60Z")]
    [InlineData("2025-12-08T12:42:14.")]
    [InlineData("2025-12-08T12:42:14.Z")]
    [InlineData("2025-12-08T12:42:14,5Z")]
    [InlineData("2025-12-08T12:42:14.1234567890")]
    [InlineData("2025-12-08T12:42:14+0200")]
    [InlineData("2025-12-08T12:42:14+02")]
    [InlineData("2025-12-08T12:42:14+24:00")]
    [InlineData("2025-12-08T12:42:14+02:60")]
    [InlineData("2025-12-08T12:42:14ZZ")]
    [InlineData("2025-12-08T12:42:14 Z")]
    [InlineData(" 2025-12-08T12:42:14")]
    [InlineData("2025/12/08T12:42:14")]
    [InlineData("20251208T124214Z")]
    [InlineData("+2025-12-08T12:42:14")]
    [InlineData("2025-1a-08T12:42:14")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    public void Parse_UnreadableTimestamp_IsAnErrorWithoutValue(string text)
    {
        var result = Event.ParseWith(("transaction_timestamp", $"\"{text}\""));

        var error = Assert.Single(result.Errors);
        Assert.Equal((Constraints.Timestamp, text), (error.Constraint, error.Actual));
        Assert.Null(result.Transaction.TransactionTimestampMicros);
    }

    [Theory]
    [InlineData("2025-12-08T12:05:00Z", true)]
    [InlineData("2025-12-08T12:05:00.000001Z", false)]
    [InlineData("2025-12-08T14:05:00+02:00", true)]
    [InlineData("9999-12-31T23:59:59Z", false)]
    public void Parse_AheadOfTheArrival_IsValidUpToTheSkew(string text, bool valid)
    {
        var result = Event.ParseWith(("transaction_timestamp", $"\"{text}\""));

        Assert.Equal(valid ? [] : [Constraints.TimestampFuture], result.Errors.Select(error => error.Constraint));
        Assert.NotNull(result.Transaction.TransactionTimestampMicros);
    }

    [Fact]
    public void Parse_ExtremeArrivalTimes_DoNotOverflow()
    {
        var payload = System.Text.Encoding.UTF8.GetBytes(Event.Json());
        var parser = new TransactionParser(new TransactionParserOptions { AllowedClockSkew = TimeSpan.MaxValue });

        Assert.True(parser.Parse(payload, long.MaxValue).IsValid);
        Assert.False(parser.Parse(payload, long.MinValue).IsValid);
    }
}
