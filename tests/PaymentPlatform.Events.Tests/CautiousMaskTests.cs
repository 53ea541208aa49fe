using System.Text;

namespace PaymentPlatform.Events.Tests;

public sealed class CautiousMaskTests
{
    [Theory]
    [InlineData("pan 4111111111111111.", "pan 411111******1111.")]
    [InlineData("4111 1111-1111 1111", "4111 11**-**** 1111")]
    [InlineData("\"cvv\":\"739\"", "\"cvv\":\"***\"")]
    [InlineData("pin 1234", "pin ****")]
    [InlineData("12345 and 67", "12345 and 67")]
    [InlineData("", "")]
    [InlineData("no digits", "no digits")]
    public void Apply_BytesNobodyCouldRead_HidesWhatMayBeCardData(string payload, string masked) =>
        Assert.Equal(masked, Encoding.UTF8.GetString(CautiousMask.Apply(Encoding.UTF8.GetBytes(payload))));
}
