using System.Text;
using PaymentPlatform.Metrics;

namespace PaymentPlatform.Metrics.Tests;

public sealed class DatabaseTextTests
{
    [Theory]
    [InlineData("credit_card", "credit_card")]
    [InlineData("", "")]
    [InlineData("a\0b", "a\uFFFDb")]
    [InlineData("\uD83D\uDE00", "\uD83D\uDE00")]
    public void Clean_Text_HoldsNothingThatPostgresRefuses(string text, string expected) => Assert.Equal(expected, DatabaseText.Clean(text, 100));

    // Attributes hold UTF-8: half a character would not survive there.
    [Fact]
    public void Clean_HalfCharacters_Replaced()
    {
        Assert.Equal("x\uFFFD", DatabaseText.Clean("x\uD83D", 100));
        Assert.Equal("\uFFFDx", DatabaseText.Clean("\uDE00x", 100));
        Assert.Equal("\uFFFD\uD83D\uDE00", DatabaseText.Clean("\uD83D\uD83D\uDE00", 100));
    }

    [Fact]
    public void Clean_InvalidUtf8_Replaced() => Assert.Equal("a\uFFFDb", DatabaseText.Clean([(byte)'a', 0xFF, (byte)'b'], 100));

    [Theory]
    [InlineData(5, "abcd…")]
    [InlineData(6, "abcde…")]
    [InlineData(7, "abcde…")]
    [InlineData(8, "abcde\uD83D\uDE00f")]
    public void Clean_LongText_CutBetweenCharacters(int length, string expected)
    {
        Assert.Equal(expected, DatabaseText.Clean("abcde\uD83D\uDE00f", length));
        Assert.Equal(expected, DatabaseText.Clean("abcde\uD83D\uDE00f"u8, length));
    }

    [Fact]
    public void Clean_HugeUtf8_SameAsOfTheText()
    {
        var text = string.Concat(Enumerable.Repeat("zażółć \uD83D\uDE00 ", 100_000));
        var utf8 = Encoding.UTF8.GetBytes(text);
        for (var length = 2; length < 40; length++)
            Assert.Equal(DatabaseText.Clean(text, length), DatabaseText.Clean(utf8, length));
    }
}
