using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.MetricEngine.Tests.Sketches;

internal static class HostileBytes
{
    /// <summary>Cut anywhere they are refused; changed anywhere they are refused, or are another good value.</summary>
    public static void AreRefused(byte[] good, Func<byte[], byte[]> read)
    {
        for (var length = 0; length < good.Length; length += 1 + (good.Length / 2_000))
            Assert.Throws<SketchFormatException>(() => read(good[..length]));
        Assert.Throws<SketchFormatException>(() => read([.. good, 0]));
        var random = new Random(17);
        for (var i = 0; i < 5_000; i++)
        {
            var bad = (byte[])good.Clone();
            for (var j = random.Next(4); j >= 0; j--)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            try
            {
                Assert.Equal(bad, read(bad));
            }
            catch (SketchFormatException)
            {
            }
        }
    }
}
