using System.Text;
using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class HubPartitionerTests
{
    /// <summary>The values that the SDK's own tests hold its port of the service's code against (PartitionResolverTests, HashCodeAssignmentIsStable).</summary>
    [Theory]
    [InlineData("7", -15263)]
    [InlineData("131", 30562)]
    [InlineData("7149583486996073602", 12977)]
    [InlineData("FWfAT", -22341)]
    [InlineData("sOdeEAsyQoEuEFPGerWO", -6503)]
    [InlineData("FAyAIctPeCgmiwLKbJcyswoHglHVjQdvtBowLACDNORsYvOcLddNJYDmhAVkbyLOrHTKLneMNcbgWVlasVywOByANjs", 5226)]
    [InlineData("1XYM6!(7(lF5wq4k4m*e$Nc!1ezLJv*1YK1Y-C^*&B$O)lq^iUkG(TNzXG;Zi#z2Og*Qq0#^*k):vXh$3,C7We7%W0meJ;b3,rQCg^J;^twXgs5E$$hWKxqp", 23950)]
    [InlineData("E(x;RRIaQcJs*P;D&jTPau-4K04oqr:lF6Z):ERpo&;9040qyV@G1_c9mgOs-8_8/10Fwa-7b7-yP!T-!IH&968)FWuI;(^g$2fN;)HJ^^yTn:", -29304)]
    [InlineData("!c*_!I@1^c", 15372)]
    [InlineData("p4*!jioeO/z-!-;w:dh", -3104)]
    [InlineData("$0cb", 26269)]
    [InlineData("-4189260826195535198", 453)]
    public void Hash_KnownKeys_IsTheServices(string key, int hash)
    {
        Assert.Equal(hash, HubPartitioner.Hash(Encoding.UTF8.GetBytes(key)));
        Assert.Equal(Math.Abs(hash % 8), HubPartitioner.PartitionOf(Encoding.UTF8.GetBytes(key), 8));
    }

    [Fact]
    public void PartitionOf_KeysOfEveryLength_LieInRangeAndSpread()
    {
        var counts = new int[32];
        for (var i = 0; i < 3200; i++)
            counts[HubPartitioner.PartitionOf(Encoding.UTF8.GetBytes(new string('k', i % 40) + i), 32)]++;

        Assert.All(counts, c => Assert.InRange(c, 50, 150));
    }
}
