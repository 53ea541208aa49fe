using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.Standalone.Logging;

namespace PaymentPlatform.Standalone.Run;

/// <summary>The platform can't run; the message is one line for the person at the keyboard.</summary>
internal sealed partial class StartFaultException(string message, int exitCode, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>The line alone won't do: the log holds the stack trace.</summary>
    public bool IsUnexpected { get; private init; }

    /// <summary>The line for a fault of any part.</summary>
    public static StartFaultException From(Exception exception, string logFile) => exception switch
    {
        StartFaultException fault => fault,
        AggregateException { InnerExceptions: [var inner, ..] } => From(inner, logFile),
        OptionsValidationException wrong => new(string.Join("; ", wrong.Failures.Select(OneLine.Of)), PlatformCommandLine.WrongUsage, exception),
        InvalidOperationException { Message: var message } when message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal) => new(Unconvertible(message), PlatformCommandLine.WrongUsage, exception),
        InvalidOperationException { Message: var message } when LogLevelFault().Match(message) is { Success: true } match => new(
            $"Logging:LogLevel has the value '{match.Groups[1].Value}': expected one of {string.Join(", ", Enum.GetNames<LogLevel>())}.", PlatformCommandLine.WrongUsage, exception),
        LocalPlatformException => new(OneLine.Of(exception.Message), PlatformCommandLine.Fault, exception),
        IOException { InnerException: AddressInUseException or SocketException } => new($"{OneLine.Of(exception.Message)} Choose another port with --port.", PlatformCommandLine.Fault, exception),
        _ => new($"{OneLine.Of(exception.Message)} ({exception.GetType().Name}; details in {logFile})", PlatformCommandLine.Fault, exception) { IsUnexpected = true },
    };

    /// <summary>Tells the person at the keyboard, and the log what is more than a line.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TellAsync(RollingFileLog? log, Exception cause)
    {
        if (IsUnexpected)
            log?.Write(JsonSerializer.Serialize(new { Timestamp = DateTimeOffset.UtcNow, LogLevel = "Critical", Message, Exception = cause.ToString() }));
        await Console.Error.WriteLineAsync(Message);
        return ExitCode;
    }

    /// <summary>The binder names the .NET type.</summary>
    private static string Unconvertible(string message)
    {
        if (ConversionFailure().Match(message) is not { Success: true } match)
            return OneLine.Of(message);
        var expected = match.Groups["type"].Value switch
        {
            "System.TimeSpan" => "a length of time such as 00:00:30, or 1.00:00:00 for a day",
            "System.Boolean" => "true or false",
            "System.Int32" or "System.Int64" => "a whole number",
            "System.Double" or "System.Decimal" => "a number",
            "System.Uri" => "an absolute address such as http://localhost:8080",
            var type => NamesOf(type) ?? "something else",
        };
        return OneLine.Of($"{match.Groups["path"].Value} is '{match.Groups["value"].Value}': expected {expected}.");
    }

    /// <summary>Of an enumeration; null for anything else.</summary>
    private static string? NamesOf(string type) =>
        AppDomain.CurrentDomain.GetAssemblies().Select(a => a.GetType(type)).FirstOrDefault(t => t is { IsEnum: true }) is { } found ? $"one of {string.Join(", ", Enum.GetNames(found))}" : null;

    /// <summary>What the logging's own reader says; it does not tell the category.</summary>
    [GeneratedRegex("^Configuration value '(.*)' is not supported\\.$", RegexOptions.Singleline)]
    private static partial Regex LogLevelFault();

    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<path>[^']*)' to type '(?<type>[^']*)'\\.$", RegexOptions.Singleline)]
    private static partial Regex ConversionFailure();
}
