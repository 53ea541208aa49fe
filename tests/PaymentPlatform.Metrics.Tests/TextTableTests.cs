using System.Text;
using PaymentPlatform.Metrics;

namespace PaymentPlatform.Metrics.Tests;

public sealed class TextTableTests
{
    private readonly TextTable _texts = new();

    [Fact]
    public void IdOf_SameText_SameId()
    {
        var ids = new[] { "credit_card", "debit_card", "credit_card", "", "debit_card", "" }.Select(t => _texts.IdOf(Encoding.UTF8.GetBytes(t))).ToArray();

        Assert.Equal([0, 1, 0, 2, 1, 2], ids);
        Assert.Equal("debit_card", _texts[1]);
    }

    [Fact]
    public void IdOf_BytesThatCleanToOneText_OneId()
    {
        Assert.Equal(_texts.IdOf("a\0"u8), _texts.IdOf("a\uFFFD"u8));
        Assert.Equal(_texts.IdOf("a\0"u8), _texts.IdOf([(byte)'a', 0xFF]));
        Assert.Equal(1, _texts.Count);
    }

    [Fact]
    public void IdOf_LongTexts_CutToWhatAnIndexHolds()
    {
        var ids = new[] { 200, 201, 100_000, 201 }.Select(n => _texts.IdOf(Encoding.UTF8.GetBytes(new string('ü', n)))).ToArray();

        Assert.Equal([0, 1, 1, 1], ids);
        Assert.Equal(new string('ü', 200), _texts[0]);
        Assert.Equal(new string('ü', 199) + "…", _texts[1]);
    }
}
