using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.MetricEngine.Tests.Sketches;

public sealed class EventTypeTests
{
    [Theory]
    [InlineData("credit_card", "currency=EUR,payment_method=credit_card,payment_status=completed")]
    [InlineData("a,b=c%2C", "currency=EUR,payment_method=a%2Cb%3Dc%252C,payment_status=completed")]
    [InlineData("", "currency=EUR,payment_method=,payment_status=completed")]
    public void ToString_AnyMethod_ReadsBackAsItself(string method, string text)
    {
        var type = new EventType("EUR", method, "completed");
        Assert.Equal(text, type.ToString());
        Assert.True(EventType.TryParse(text, out var parsed));
        Assert.Equal(type, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("currency=EUR")]
    [InlineData("payment_method=x,currency=EUR,payment_status=y")]
    public void TryParse_AnotherText_False(string text) => Assert.False(EventType.TryParse(text, out _));
}
