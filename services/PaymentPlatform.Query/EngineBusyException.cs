namespace PaymentPlatform.Query;

/// <summary>Too many queries run already, and none ended in time.</summary>
public sealed class EngineBusyException(TimeSpan waited) : Exception($"Too many queries run at once; none ended within {waited.TotalSeconds:0.#} s. Try again, or ask for a shorter range.");
