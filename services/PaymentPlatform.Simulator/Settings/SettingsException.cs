namespace PaymentPlatform.Simulator;

/// <summary>The settings can't be taken; the message is one line: file, line, and what is wrong where.</summary>
public sealed class SettingsException(string file, long line, string fault, Exception? inner = null)
    : Exception(line > 0 ? $"{file}:{line}: {fault}" : $"{file}: {fault}", inner)
{
    /// <summary>From 1; 0 where the fault has no line.</summary>
    public long Line { get; } = line;
}
