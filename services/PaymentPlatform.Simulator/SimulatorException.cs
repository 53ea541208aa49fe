namespace PaymentPlatform.Simulator;

/// <summary>The simulator can't go on; the message is one line for the person at the keyboard.</summary>
public sealed class SimulatorException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether an option is to blame rather than the target.</summary>
    public bool IsWrongUsage { get; init; }
}
