using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class HubAddressTests
{
    [Theory]
    [InlineData("Endpoint=sb://localhost:5673;SharedAccessKeyName=Root;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;EntityPath=payments", "localhost", "payments", 5673)]
    [InlineData("Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=a=b=;EntityPath=other", "ns.servicebus.windows.net", "other", null)]
    [InlineData("endpoint=sb://ns.servicebus.windows.net/ ; sharedaccesssignature=SharedAccessSignature sr=x", "ns.servicebus.windows.net", "stream", null)]
    public void Parse_StringWithAKey_IsUsedWhole(string text, string host, string hub, int? port)
    {
        var address = HubAddress.Parse(text, "stream");

        Assert.Equal(new HubAddress(text, host, hub, port), address);
        Assert.DoesNotContain("SAS_KEY_VALUE", address.ToString());
    }

    [Theory]
    [InlineData("Endpoint=https://ns.servicebus.windows.net:443/;EntityPath=payments", "payments")]
    [InlineData("Endpoint=https://ns.servicebus.windows.net:443/;EntityPath=payments;ConsumerGroup=archiver", "payments")]
    [InlineData("https://ns.servicebus.windows.net:443/", "stream")]
    [InlineData("ns.servicebus.windows.net", "stream")]
    [InlineData("Endpoint=ns.servicebus.windows.net;UseDevelopmentEmulator=false", "stream")]
    public void Parse_StringWithoutAKey_IsNamespaceAndHubForAnIdentity(string text, string hub) =>
        Assert.Equal(new HubAddress(null, "ns.servicebus.windows.net", hub, null), HubAddress.Parse(text, "stream"));

    [Theory]
    [InlineData("Endpoint=sb://localhost:5673;SharedAccessKeyName=n;SharedAccessKey=k=;UseDevelopmentEmulator=true;EntityPath=payments", "Endpoint=sb://localhost:5673;SharedAccessKeyName=n;SharedAccessKey=k=;UseDevelopmentEmulator=true")]
    [InlineData("Endpoint=sb://ns.servicebus.windows.net/; entitypath=payments ;SharedAccessKeyName=n;SharedAccessKey=k", "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k")]
    [InlineData("Endpoint=https://ns.servicebus.windows.net:443/;EntityPath=payments", null)]
    public void For_AnotherHub_NamesItAndTheStringNamesNone(string text, string? connectionString)
    {
        var address = HubAddress.Parse(text, "stream");

        Assert.Equal(new HubAddress(connectionString, address.Namespace, "other", address.Port), address.For("other"));
    }

    [Theory]
    [InlineData(null, "ConnectionStrings:payments is not set: ")]
    [InlineData("  ", "ConnectionStrings:payments is not set: ")]
    [InlineData("EntityPath=payments;SharedAccessKey=secret", "ConnectionStrings:payments names no endpoint: ")]
    [InlineData("Endpoint=;EntityPath=payments", "ConnectionStrings:payments names no endpoint: ")]
    [InlineData("Endpoint=sb://;EntityPath=payments", "ConnectionStrings:payments names no endpoint: ")]
    public void Parse_NoAddress_SaysWhatToGive(string? text, string beginning)
    {
        var error = Assert.Throws<FormatException>(() => HubAddress.Parse(text, "stream"));

        Assert.StartsWith(beginning, error.Message);
        Assert.DoesNotContain("secret", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
