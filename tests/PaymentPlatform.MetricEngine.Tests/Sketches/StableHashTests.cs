using System.Text;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.MetricEngine.Tests.Sketches;

public sealed class StableHashTests
{
    // Of the reference implementation (Cyan4973/xxHash) and its ports.
    [Theory]
    [InlineData("", 0, 0xEF46DB3751D8E999)]
    [InlineData("a", 0, 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0, 0x44BC2CF5AD770999)]
    [InlineData("Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1)]
    public void Of_ReferenceVectors_TheirHashes(string text, ulong seed, ulong hash) => Assert.Equal(hash, StableHash.Of(Encoding.UTF8.GetBytes(text), seed));

    [Fact]
    public void Of_FixedSeed_NeverChanges() => Assert.Equal(StableHash.Of("C1"u8, 0x5041594D454E5453), StableHash.Of("C1"u8));
}
