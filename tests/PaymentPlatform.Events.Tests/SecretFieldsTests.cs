using System.Text;
using PaymentPlatform.Events;

namespace PaymentPlatform.Events.Tests;

public sealed class SecretFieldsTests
{
    [Theory]
    [InlineData("cvv")]
    [InlineData("cid")]
    [InlineData("pins")]
    [InlineData("track2")]
    [InlineData("swipedata")]
    [InlineData("cardverificationvalue2")]
    [InlineData("encryptedpinblock")]
    [InlineData("securitycode")]
    public void IsSecret_AnyCaseAndSeparatorsAnywhere_IsSecret(string name)
    {
        Assert.True(Is(name));
        foreach (var separator in "_-. ")
        {
            for (var at = 0; at <= name.Length; at++)
            {
                Assert.True(Is(name.Insert(at, separator.ToString())), $"'{separator}' at {at}");
                Assert.True(Is(name.ToUpperInvariant().Insert(at, new string(separator, 2))), $"twice '{separator}' at {at}");
            }

            Assert.True(Is(string.Join(separator, name.ToCharArray())));
        }
    }

    [Theory]
    [InlineData("cv")]
    [InlineData("c_v")]
    [InlineData("___")]
    [InlineData("cvv_provided")]
    [InlineData("card_last4")]
    [InlineData("card_brand")]
    [InlineData("pin_code")]
    [InlineData("ip_address")]
    [InlineData("session_id")]
    [InlineData("processing_timestamp")]
    [InlineData("2cvv")]
    [InlineData("cv@v")]
    [InlineData("cvé")]
    [InlineData("[vv")]
    public void IsSecret_AnyOtherName_IsNot(string name) => Assert.False(Is(name));

    private static bool Is(string name) => SecretFields.IsSecret(Encoding.UTF8.GetBytes(name));
}
