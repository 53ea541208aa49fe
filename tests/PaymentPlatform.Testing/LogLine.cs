using Microsoft.Extensions.Logging;

namespace PaymentPlatform.Testing;

/// <param name="Text">With the exception, if there is one.</param>
public readonly record struct LogLine(LogLevel Level, string Category, string Text)
{
    public override string ToString() => $"{Level} {Category}: {Text}";
}
