namespace PaymentPlatform.Faults.Model;

/// <summary>The platform did what it must never do, or did not do what it must.</summary>
/// <param name="invariant">Its short name, as docs/faults.md lists it.</param>
/// <param name="found">What was seen.</param>
public sealed class InvariantBrokenException(string invariant, string found) : Exception($"{invariant}: {found}")
{
    public string Invariant { get; } = invariant;

    /// <exception cref="InvariantBrokenException">The condition is false.</exception>
    public static void Unless(bool condition, string invariant, Func<string> found)
    {
        if (!condition)
            throw new InvariantBrokenException(invariant, found());
    }
}
