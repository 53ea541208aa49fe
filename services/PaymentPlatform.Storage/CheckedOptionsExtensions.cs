using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The one way to bind a section to options and to check it.</summary>
public static class CheckedOptionsExtensions
{
    /// <summary>
    /// Options of a section, checked by their annotations when the service starts. A failure is one line: the option as <c>Section:Key</c>, what it must be, and the value that was given
    /// (but not that of a property with <c>[DataType(DataType.Password)]</c>). Calling it again checks nothing twice: a type has one section.
    /// </summary>
    /// <param name="section">For example <c>Streaming:Kafka</c>.</param>
    public static OptionsBuilder<TOptions> AddCheckedOptions<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TOptions>, AnnotationCheck<TOptions>>(
            provider => new(section, provider.GetRequiredService<IConfiguration>())));
        return services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
    }

    private sealed class AnnotationCheck<TOptions>(string section, IConfiguration configuration) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options)
        {
            var faults = new List<ValidationResult>();
            return Validator.TryValidateObject(options, new(options), faults, validateAllProperties: true) ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(fault => Describe(fault, options)));
        }

        private string Describe(ValidationResult fault, TOptions options)
        {
            // Of the options as a whole: the text names them and their values.
            if (fault.MemberNames.FirstOrDefault() is not { } member)
                return fault.ErrorMessage!;
            var option = $"{section}:{member}";
            // The framework's own texts know the property only; ours name the option.
            var text = fault.ErrorMessage!.Replace($"The field {member} ", $"{option} ", StringComparison.Ordinal);
            return $"{(text.StartsWith(option, StringComparison.Ordinal) ? "" : $"{option}: ")}{text}{Given(option, member, options)}";
        }

        /// <summary>The configuration's text, and what it was taken for where that is not obvious.</summary>
        private string Given(string option, string member, TOptions options)
        {
            if (configuration[option] is not { } text || typeof(TOptions).GetProperty(member) is not { } property || property.GetCustomAttributes<DataTypeAttribute>().Any(type => type.DataType == DataType.Password))
                return "";
            return property.GetValue(options) is TimeSpan time ? $" It is '{text}', read as {time:c}: a length of time is [days.]hours:minutes:seconds." : $" It is '{text}'.";
        }
    }
}
