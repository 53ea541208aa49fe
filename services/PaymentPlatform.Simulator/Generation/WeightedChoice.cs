namespace PaymentPlatform.Simulator;

/// <summary>Picks by weight with one byte of randomness.</summary>
internal sealed class WeightedChoice<T>
{
    private readonly T[] _slots = new T[256];

    /// <param name="choices">Shares in 256ths; they must sum to 256.</param>
    public WeightedChoice(params ReadOnlySpan<(int Weight, T Value)> choices)
    {
        var slot = 0;
        foreach (var (weight, value) in choices)
        {
            _slots.AsSpan(slot, weight).Fill(value);
            slot += weight;
        }

        if (slot != _slots.Length)
            throw new ArgumentException($"The weights sum to {slot} instead of {_slots.Length}.", nameof(choices));
    }

    public T this[ulong random] => _slots[(byte)random];
}
