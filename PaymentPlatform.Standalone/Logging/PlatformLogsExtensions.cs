using Microsoft.Extensions.Logging.Console;

namespace PaymentPlatform.Standalone.Logging;

internal static class PlatformLogsExtensions
{
    /// <summary>The services' JSON lines go to the file; the console keeps plain warnings.</summary>
    /// <param name="log">Null: to no file.</param>
    public static void AddPlatformLogs(this IHostApplicationBuilder builder, RollingFileLog? log)
    {
        foreach (var console in builder.Services.Where(s => s.ServiceType == typeof(ILoggerProvider) && s.ImplementationType == typeof(ConsoleLoggerProvider)).ToArray())
            builder.Services.Remove(console);
        if (log is not null)
            builder.Services.AddSingleton<ILoggerProvider>(services => new JsonFileLoggerProvider(services.GetServices<ConsoleFormatter>(), log));
        builder.Services.AddSingleton<ILoggerProvider>(_ => new PlainConsoleLoggerProvider(TimeProvider.System, Console.Error));
    }
}
