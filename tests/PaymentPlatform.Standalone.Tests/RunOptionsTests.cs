using PaymentPlatform.Standalone.Run;

namespace PaymentPlatform.Standalone.Tests;

public sealed class RunOptionsTests
{
    /// <summary>Two that join at the same moment both found the default port free, and one ended when it came to listen.</summary>
    [Theory]
    [InlineData("Archiver", true, null, 0)]
    [InlineData("Metrics,Simulator", true, null, 0)]
    [InlineData("Metrics", true, 9000, 9000)]
    [InlineData("Query,Metrics", true, null, RunOptions.DefaultPort)]
    [InlineData("Ingest", true, null, RunOptions.DefaultPort)]
    [InlineData("Archiver", false, null, RunOptions.DefaultPort)]
    public void FirstPort_JoinsWithoutAPort_IsAnyFreeOneUnlessItIsCalled(string services, bool joins, int? port, int expected)
    {
        var options = new RunOptions { Port = port, Services = services.Split(',').Select(Enum.Parse<PlatformService>).ToHashSet(), Connections = joins ? "connections.json" : null };

        Assert.Equal(expected, options.FirstPort);
    }
}
