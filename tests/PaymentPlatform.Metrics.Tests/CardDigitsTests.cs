using System.Text;
using PaymentPlatform.Metrics;

namespace PaymentPlatform.Metrics.Tests;

public sealed class CardDigitsTests
{
    [Theory]
    [InlineData("4111111111111111", "411111******1111")]
    [InlineData("{\"n\":\"4111 1111-1111 1111\"}", "{\"n\":\"4111 11**-**** 1111\"}")]
    [InlineData("378282246310005 6011111111111117", "378282********* ************1117")]
    [InlineData("123456789012", "123456789012")]
    [InlineData("1234567  8901234", "1234567  8901234")]
    [InlineData("", "")]
    public void Mask_Bytes_KeepsSixAndFour(string payload, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CardDigits.Mask(Encoding.UTF8.GetBytes(payload))));
}
