using System.Globalization;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults;

/// <summary>The command line.</summary>
internal static class FaultArguments
{
    /// <returns>What is wrong; null when nothing is.</returns>
    public static string? TryParse(ReadOnlySpan<string> arguments, out FaultOptions options)
    {
        options = new();
        while (arguments is [var name, .. var rest])
        {
            arguments = rest;
            if (name == "--keep")
            {
                options = options with { Keep = true };
                continue;
            }

            if (arguments is not [var value, .. var more])
                return name.StartsWith("--", StringComparison.Ordinal) ? $"{name} needs a value." : $"What is '{name}'?";
            arguments = more;
            switch (name)
            {
                case "--runs" when IsNumber(value, 1, out var runs):
                    options = options with { Runs = runs };
                    break;
                case "--seed" when IsNumber(value, 0, out var seed):
                    options = options with { Seed = seed };
                    break;
                case "--parallel" when IsNumber(value, 1, out var parallel):
                    options = options with { Parallel = parallel };
                    break;
                case "--mode" when value == "both":
                    options = options with { Mode = null };
                    break;
                case "--mode" when value is "safety" or "liveness":
                    options = options with { Mode = value == "safety" ? FaultMode.Safety : FaultMode.Liveness };
                    break;
                case "--runs" or "--seed" or "--parallel" or "--mode":
                    return $"{name} can't be '{value}'.";
                default:
                    return $"There is no option {name}.";
            }
        }

        return null;
    }

    private static bool IsNumber(string text, int least, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least;
}
