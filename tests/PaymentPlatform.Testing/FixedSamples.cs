using CsCheck;

namespace PaymentPlatform.Testing;

/// <summary>
/// Runs a property over the same values in every run, so that a failure comes back. CsCheck's own <c>Sample</c> takes a seed for its first value only
/// and draws the others anew each time: a suite that ends a submission must not depend on that draw.
/// </summary>
public static class FixedSamples
{
    /// <exception cref="FixedSampleException">The property threw for one of the values.</exception>
    public static void ForEach<T>(this Gen<T> values, uint seed, int count, Action<T> property)
    {
        var random = new PCG(1, seed);
        for (var i = 0; i < count; i++)
        {
            var value = values.Generate(random, null, out _);
            try
            {
                property(value);
            }
            catch (Exception exception)
            {
                throw new FixedSampleException(i, Describe(value), exception);
            }
        }
    }

    /// <inheritdoc cref="ForEach{T}(Gen{T}, uint, int, Action{T})"/>
    public static async Task ForEachAsync<T>(this Gen<T> values, uint seed, int count, Func<T, Task> property)
    {
        var random = new PCG(1, seed);
        for (var i = 0; i < count; i++)
        {
            var value = values.Generate(random, null, out _);
            try
            {
                await property(value);
            }
            catch (Exception exception)
            {
                throw new FixedSampleException(i, Describe(value), exception);
            }
        }
    }

    private static string Describe<T>(T value) => value is byte[] bytes ? System.Text.Encoding.UTF8.GetString(bytes) : $"{value}";
}
