using System.Text;

namespace PaymentPlatform.Events.Tests;

public sealed class CardNumbersTests
{
    public static TheoryData<string> Numbers => [.. TestCards.Numbers];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Contains_NumberInAnyShapeAtAnyPlace_IsFound(string number)
    {
        Assert.True(TestCards.PassesLuhn(number));
        foreach (var shape in new[] { number, TestCards.Grouped(number, ' '), TestCards.Grouped(number, '-'), $"card{number}x", $"({number})", $"12 {number}", $"{number}-7", $"$4.{number}." })
        {
            // Every offset against the blocks of the vectorised search, and short texts without any.
            for (var padding = 0; padding < 140; padding++)
            {
                var text = Encoding.ASCII.GetBytes(new string('.', padding) + shape + new string('.', padding % 67));
                Assert.True(CardNumbers.TryFind(text, 0, out var start, out var length), Encoding.ASCII.GetString(text));
                Assert.True(CardNumbers.Mask(text));
                Assert.False(CardNumbers.Contains(text));
                Assert.InRange(length, number.Length, 2 * number.Length);
                Assert.InRange(start, padding, padding + 5);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Contains_WrongCheckDigitLengthOrLongerRun_IsNotFound(string number)
    {
        var wrong = number[..^1] + (char)('0' + (number[^1] - '0' + 1) % 10);
        Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes(wrong)));
        Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes($"{number}{number}")));
        Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes(string.Join("  ", number.Chunk(4).Select(group => new string(group))))));
        Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes(string.Join(".", number.Chunk(4).Select(group => new string(group))))));
    }

    [Theory]
    [InlineData("1234567890123452")]
    [InlineData("0000000000000000")]
    [InlineData("411111111111")]
    [InlineData("41111111111111")]
    [InlineData("5555555555554")]
    [InlineData("2025120812421412")]
    [InlineData("1733659200000")]
    [InlineData("94ad35fd-2a52-4d0e-b52c-9805081aa8d7")]
    [InlineData("41111111-1111-4111-8111-1111a1111111")]
    [InlineData("a4111111111111111a")]
    public void Contains_OtherNumbers_AreLeft(string text)
    {
        if (text.StartsWith('a'))
            text += "bcdef0123456789"[..14];
        Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void Contains_HundredThousandRandomUuids_AreLeft()
    {
        var random = new Random(1);
        var bytes = new byte[16];
        for (var i = 0; i < 100_000; i++)
        {
            random.NextBytes(bytes);
            var uuid = new Guid(bytes);
            Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes($"session {uuid}; trace {uuid:N}")), uuid.ToString());
        }
    }

    [Theory]
    [InlineData("4111111111111111", "411111******1111")]
    [InlineData("4111 1111 1111 1111", "4111 11** **** 1111")]
    [InlineData("3782-822463-10005", "3782-82****-*0005")]
    [InlineData("a4222222222222b", "a422222***2222b")]
    [InlineData("4111111111111111,5555555555554444", "411111******1111,555555******4444")]
    [InlineData("nothing here 12345", "nothing here 12345")]
    public void Mask_Numbers_KeepFirstSixAndLastFour(string text, string masked)
    {
        var bytes = Encoding.ASCII.GetBytes(text);

        Assert.Equal(text != masked, CardNumbers.Mask(bytes));
        Assert.Equal(masked, Encoding.ASCII.GetString(bytes));
    }

    [Fact]
    public void Mask_OverlappingNumbers_LeavesNone()
    {
        var random = new Random(7);
        for (var i = 0; i < 5_000; i++)
        {
            var text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 40).Select(_ => random.Next(3) switch
            {
                0 => TestCards.Grouped(TestCards.Numbers[random.Next(TestCards.Numbers.Length)], random.Next(2) == 0 ? ' ' : '-') + " ",
                1 => $"{random.Next(1, 10_000)}-",
                _ => $"{random.NextInt64(1, 10_000_000_000)} ",
            })));
            CardNumbers.Mask(text);
            Assert.False(CardNumbers.Contains(text));
        }
    }

    [Fact]
    public void Mask_MegabytesOfHostileDigits_EndsSoon()
    {
        foreach (var pattern in new[] { "1 ", "4 ", "4111111111111111 ", "41111111 11111111-", "4111 ", "411111111111111111111111" })
        {
            var text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(pattern, 2_000_000 / pattern.Length)));
            CardNumbers.Mask(text);
            Assert.False(CardNumbers.Contains(text));
        }
    }
}
