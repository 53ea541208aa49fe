using System.Diagnostics;

namespace PaymentPlatform.Testing;

/// <summary>Waits for a condition, not for a time.</summary>
public static class Eventually
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(60);

    /// <param name="what">Completes the sentence "… did not happen within".</param>
    /// <exception cref="TimeoutException">The deadline (60 s unless given) has passed.</exception>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > (deadline ?? Default))
                throw new TimeoutException($"'{what}' did not happen within {(deadline ?? Default).TotalSeconds:0.#} s.");
            await Task.Delay(20);
        }
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, string, TimeSpan?)"/>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? deadline = null) => TrueAsync(() => Task.FromResult(condition()), what, deadline);
}
