using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.Hosting;

/// <summary>The last line of a service's program.</summary>
public static class ServiceRun
{
    private const int WrongConfiguration = 2;

    /// <summary>Runs until it is stopped. A wrong option, or a connection string that is missing, stops the start with one line each on standard error.</summary>
    /// <returns>0, or 2 for a wrong option.</returns>
    public static int RunService(this WebApplication app)
    {
        try
        {
            app.Services.GetService<IStartupValidator>()?.Validate();
            app.Run();
            return 0;
        }
        catch (Exception exception) when (Failures(exception).ToList() is { Count: > 0 } failures)
        {
            foreach (var failure in failures)
                Console.Error.WriteLine(failure.ReplaceLineEndings(" "));
            return WrongConfiguration;
        }
    }

    private static IEnumerable<string> Failures(Exception exception) => exception switch
    {
        OptionsValidationException wrong => wrong.Failures,
        AggregateException several => several.InnerExceptions.SelectMany(Failures),
        _ => [],
    };
}
