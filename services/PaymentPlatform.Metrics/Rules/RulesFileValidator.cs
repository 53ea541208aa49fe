using Microsoft.Extensions.Options;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>A faulty file of rules ends the start; later it only is not taken.</summary>
internal sealed class RulesFileValidator : IValidateOptions<MetricsOptions>
{
    public ValidateOptionsResult Validate(string? name, MetricsOptions options)
    {
        if (options.RulesFile is not { Length: > 0 } path)
            return ValidateOptionsResult.Success;
        string yaml;
        try
        {
            yaml = File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return ValidateOptionsResult.Fail($"Metrics:RulesFile: {path} can't be read: {exception.Message}");
        }

        var result = RuleSet.Parse(yaml, path);
        return result.IsValid ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail($"Metrics:RulesFile: {string.Join(" | ", result.Errors)}");
    }
}
