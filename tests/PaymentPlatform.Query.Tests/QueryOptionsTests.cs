using Microsoft.Extensions.Options;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class QueryOptionsTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("EngineMemory", "1")]
    [InlineData("EngineThreads", "0")]
    [InlineData("CacheBytes", "67108863")]
    [InlineData("ConcurrentQueries", "0")]
    [InlineData("ConcurrentExports", "-1")]
    [InlineData("QueueTimeout", "1.00:00:00")]
    [InlineData("SliceRows", "0")]
    [InlineData("MaxRebuildRange", "00:00:00")]
    [InlineData("MaxReconciliationRange", "00:00:00")]
    [InlineData("Downloads", "1000")]
    [InlineData("LookupIndexBytes", "-1")]
    [InlineData("LookupRefresh", "00:00:00")]
    [InlineData("SqlMemory", "1")]
    [InlineData("SqlThreads", "0")]
    [InlineData("SqlConcurrent", "0")]
    [InlineData("SqlTimeout", "00:00:00")]
    [InlineData("SqlRows", "0")]
    [InlineData("SqlBytes", "1")]
    [InlineData("SqlSpillBytes", "-1")]
    [InlineData("ReconciliationInterval", "-00:00:01")]
    [InlineData("ReconciliationFiles", "-1")]
    [InlineData("ReconciliationBytes", "0")]
    [InlineData("ReconciliationWait", "1.00:00:00")]
    public async Task Start_WrongOption_StopsAndNamesIt(string name, string value)
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => QueryHost.StartAsync(platform, new() { ["Query:" + name] = value }));
        Assert.Contains("Query:" + name, exception.Message);
    }

    [Fact]
    public async Task Start_CacheDirectoryIsAFile_StopsAndNamesIt()
    {
        var file = Path.GetTempFileName();
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => QueryHost.StartAsync(platform, new() { ["Query:CacheDirectory"] = file }));
        Assert.Contains("Query:CacheDirectory", exception.Message);
        File.Delete(file);
    }
}
