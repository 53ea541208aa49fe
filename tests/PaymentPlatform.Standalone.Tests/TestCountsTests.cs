using System.Text;
using System.Text.Json;
using PaymentPlatform.Standalone.Testing;

namespace PaymentPlatform.Standalone.Tests;

public sealed class TestCountsTests
{
    [Fact]
    public void FromCtrf_FailuresAndFixtureErrors_AreCountedAndNamed()
    {
        var counts = TestCounts.FromCtrf(Encoding.UTF8.GetBytes("""
            {"results":{"extra":{"suites":[{"errors":[{"message":"clean-up failed"}]},{"errors":[]}]},
             "tests":[{"name":"A.B.Bad_Thing_Fails","status":"failed","message":"expected 1\nbut was 2"},{"name":"A.B.Good","status":"passed"}],
             "summary":{"tests":6,"passed":3,"failed":1,"pending":0,"skipped":2,"other":0}}}
            """));

        Assert.Equal((3, 2, 2), (counts.Passed, counts.Failed, counts.Skipped));
        Assert.Equal(["A.B.Bad_Thing_Fails: expected 1", "outside of a test: clean-up failed"], counts.Failures);
    }

    [Fact]
    public void FromCtrf_CutOff_Throws() =>
        Assert.ThrowsAny<JsonException>(() => TestCounts.FromCtrf("""{"results":{"summary":"""u8.ToArray()));
}
