namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>
/// Which bin of a <see cref="DDSketch"/> a value falls into: bins grow like the value, by less than 2 % each. The logarithm is a cubic over the mantissa (DataDog's sketches-java, CubicallyInterpolatedMapping):
/// only additions and multiplications, so that every machine finds the same bin, which a library's logarithm does not promise.
/// </summary>
internal static class SketchBins
{
    private const double A = 6.0 / 35, B = -3.0 / 5, C = 10.0 / 7;

    // 7 / (10 ln(1.0099 / 0.9901)), written out: it must not depend on a library's logarithm either. An error of 0.99 %: the rest is for the rounding of answers.
    private const double BinsAnOctave = 35.352380323;

    /// <summary>Values reach 2^127.</summary>
    public const int Max = 4_500;

    /// <param name="scaled">At least 1.</param>
    public static int Of(Int128 scaled)
    {
        var bits = BitConverter.DoubleToUInt64Bits(scaled <= long.MaxValue ? (long)scaled : (double)scaled);
        var exponent = (int)(bits >> 52) - 1023;
        var s = BitConverter.UInt64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000) - 1;
        return (int)(BinsAnOctave * (exponent + (((((A * s) + B) * s) + C) * s)));
    }

    /// <summary>The value that is nearest to all of the bin, in relative terms.</summary>
    public static double ValueOf(int bin)
    {
        // A little lower, so that a bound that is a whole number is not taken for one just above it.
        double low = LowerBound(bin) * (1 - 1e-9), high = LowerBound(bin + 1) * (1 - 1e-9);
        // Values are whole numbers, and a bin of small ones holds one at most.
        var whole = Math.Ceiling(low);
        return whole + 1 >= high && whole < high ? whole : 2 * low * high / (low + high);
    }

    private static double LowerBound(int bin)
    {
        var position = bin / BinsAnOctave;
        var exponent = Math.Floor(position);
        var rest = position - exponent;
        double low = 0, high = 1;
        for (var i = 0; i < 52; i++)
        {
            var s = (low + high) / 2;
            if ((((((A * s) + B) * s) + C) * s) < rest)
                low = s;
            else
                high = s;
        }

        return Math.ScaleB(1 + high, (int)exponent);
    }
}
