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
        OptionsValidationException wrong => new(string.Join("; ", wrong.Failures.Select(failure => WithSection(OneLine.Of(failure), wrong.OptionsType))), PlatformCommandLine.WrongUsage, exception),
        InvalidOperationException { Message: var message } when message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal) => new(OneLine.Of(message), PlatformCommandLine.WrongUsage, exception),
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

    /// <summary>Data annotations name the property only; the person sets <c>Section:Property</c>.</summary>
    private static string WithSection(string failure, Type optionsType) => DataAnnotationFailure().Match(failure) switch
    {
        { Success: false } => failure,
        // Of the options as a whole: the text names them.
        { } match when match.Groups["member"].Length == 0 => match.Groups["error"].Value,
        { } match when optionsType.GetField("Section")?.GetRawConstantValue() is string section => $"{section}:{match.Groups["member"].Value}: {match.Groups["error"].Value}",
        _ => failure,
    };

    [GeneratedRegex("^DataAnnotation validation failed for '[^']*' members: '(?<member>[^']*)' with the error: '(?<error>.*)'\\.$")]
    private static partial Regex DataAnnotationFailure();
}
