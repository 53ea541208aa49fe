namespace PaymentPlatform.Events.Tests;

public sealed class CurrencyTests
{
    [Theory]
    [InlineData("EUR")]
    [InlineData("USD")]
    [InlineData("JPY")]
    [InlineData("BHD")]
    [InlineData("XAU")]
    [InlineData("ZWG")]
    [InlineData("XCG")]
    [InlineData("SLE")]
    [InlineData("VED")]
    [InlineData("BGN")]
    public void Parse_ActiveCode_IsTaken(string code) => Assert.Equal(code, Event.ParseWith(("currency", $"\"{code}\"")).Transaction.Currency.ToString());

    [Theory]
    [InlineData("ZZZ")]
    [InlineData("XXX")]
    [InlineData("XTS")]
    [InlineData("DEM")]
    [InlineData("HRK")]
    [InlineData("EU")]
    [InlineData("EURO")]
    [InlineData("E€")]
    [InlineData("€")]
    [InlineData("978")]
    [InlineData("[[[")]
    public void Parse_NoActiveCode_IsAnErrorWithoutValue(string code)
    {
        var result = Event.ParseWith(("currency", $"\"{code}\""));

        var error = Assert.Single(result.Errors);
        Assert.Equal(("currency", Constraints.Currency, code), (error.Field, error.Constraint, error.Actual));
        Assert.True(result.Transaction.Currency.IsNull);
    }

    [Theory]
    [InlineData("usd")]
    [InlineData("Eur")]
    public void Parse_WrongCase_SaysSo(string code)
    {
        var error = Event.SingleError(("currency", $"\"{code}\""));

        Assert.Equal((Constraints.Currency, "currency must be written in upper case."), (error.Constraint, error.Message));
    }
}
