using System.Text;
using System.Text.Json;
using PaymentPlatform.Standalone.Testing;

namespace PaymentPlatform.Standalone.Tests;

public sealed class TestCountsTests
{
    [Fact]
    public void FromCtrf_FixtureErrors_CountAsFailures()
    {
        var counts = TestCounts.FromCtrf(Encoding.UTF8.GetBytes("""
            {"results":{"extra":{"suites":[{"errors":[{"message":"clean-up failed"}]},{"errors":[]}]},
             "summary":{"tests":6,"passed":3,"failed":1,"pending":0,"skipped":2,"other":0}}}
            """));

        Assert.Equal(new TestCounts(3, 2, 2), counts);
    }

    [Fact]
    public void FromCtrf_CutOff_Throws() =>
        Assert.ThrowsAny<JsonException>(() => TestCounts.FromCtrf("""{"results":{"summary":"""u8.ToArray()));
}
