namespace PaymentPlatform.Events.Tests;

public sealed class AmountTests
{
    [Theory]
    [InlineData("1", "10000")]
    [InlineData("86.52", "865200")]
    [InlineData("0.0001", "1")]
    [InlineData("\"86.52\"", "865200")]
    [InlineData("\"\\u0038\"", "80000")]
    [InlineData("1.50000000000000000000000000000000", "15000")]
    [InlineData("999999999999999.9999", "9999999999999999999")]
    [InlineData("999999999999999.99990000", "9999999999999999999")]
    [InlineData("1e3", "10000000")]
    [InlineData("1E+3", "10000000")]
    [InlineData("1.25e-2", "125")]
    [InlineData("12345678901e-4", "12345678901")]
    [InlineData("1e14", "1000000000000000000")]
    [InlineData("0.00000000000000000000000000000000000000001e41", "10000")]
    [InlineData("10000000000000000000000000000000000000000e-40", "10000")]
    [InlineData("\"1e2\"", "1000000")]
    public void Parse_AmountThatFits_IsExact(string json, string scaled)
    {
        var result = Event.ParseWith(("amount", json));

        Assert.Empty(result.Errors);
        Assert.Equal(Int128.Parse(scaled, System.Globalization.CultureInfo.InvariantCulture), result.Transaction.AmountScaled);
    }

    [Theory]
    [InlineData("0.00001")]
    [InlineData("1.00005")]
    [InlineData("1000000000000000")]
    [InlineData("1e15")]
    [InlineData("1e999999")]
    [InlineData("1e99999999999999999999999999")]
    [InlineData("1e-99999999999999999999999999")]
    [InlineData("\"1e-5\"")]
    [InlineData("999999999999999.99995")]
    public void Parse_AmountBeyondDecimal19_4_IsOutOfRange(string json)
    {
        var result = Event.ParseWith(("amount", json));

        Assert.Equal(Constraints.AmountRange, Assert.Single(result.Errors).Constraint);
        Assert.Null(result.Transaction.AmountScaled);
    }

    [Theory]
    [InlineData(400, "", Constraints.AmountRange)]
    [InlineData(1, "e-400", Constraints.AmountRange)]
    [InlineData(100_000, "", Constraints.AmountRange)]
    public void Parse_HugeNumbers_AreOutOfRange(int digits, string exponent, string constraint) =>
        Assert.Equal(constraint, Event.SingleError(("amount", new string('7', digits) + exponent)).Constraint);

    [Fact]
    public void Parse_HundredThousandZerosAndTheirExponent_IsExact()
    {
        var result = Event.ParseWith(("amount", $"0.{new string('0', 100_000)}125e100002"));

        Assert.Equal(125_000, result.Transaction.AmountScaled);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("0.0000")]
    [InlineData("-0")]
    [InlineData("0e999999")]
    [InlineData("-12.5")]
    [InlineData("\"-1\"")]
    public void Parse_ZeroOrLess_IsNotPositive(string json) => Assert.Equal(Constraints.AmountPositive, Event.SingleError(("amount", json)).Constraint);

    [Fact]
    public void Parse_FarBelowZero_HasBothErrors() =>
        Assert.Equal([Constraints.AmountRange, Constraints.AmountPositive], Event.ParseWith(("amount", "-1e30")).Errors.Select(error => error.Constraint));

    [Theory]
    [InlineData("\"12,50\"")]
    [InlineData("\"1,000.00\"")]
    [InlineData("\"+1\"")]
    [InlineData("\"01\"")]
    [InlineData("\".5\"")]
    [InlineData("\"5.\"")]
    [InlineData("\"1e\"")]
    [InlineData("\"1e+\"")]
    [InlineData("\" 1\"")]
    [InlineData("\"1 \"")]
    [InlineData("\"-\"")]
    [InlineData("\"NaN\"")]
    [InlineData("\"Infinity\"")]
    [InlineData("\"0x10\"")]
    [InlineData("\"٣\"")]
    [InlineData("\"12 EUR\"")]
    public void Parse_StringThatIsNoJsonNumber_IsAWrongType(string json)
    {
        var error = Event.SingleError(("amount", json));

        Assert.Equal((Constraints.Type, json.Trim('"')), (error.Constraint, error.Actual));
    }
}
