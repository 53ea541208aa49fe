using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Storage.Tests;

public sealed class CheckedOptionsTests
{
    [Theory]
    [InlineData("Age", "10", "Some:Part:Age must be between 00:00:00 and 01:00:00. It is '10', read as 10.00:00:00: a length of time is [days.]hours:minutes:seconds.")]
    [InlineData("Rows", "0", "Some:Part:Rows must be between 1 and 9. It is '0'.")]
    [InlineData("Named", "10", "Some:Part:Named must be a digit. It is '10'.")]
    [InlineData("Text", "", "Some:Part:Text: The Text field is required. It is ''.")]
    [InlineData("Key", "the secret", "Some:Part:Key must be one word.")]
    [InlineData("Rows", "9", "Rows (9) must not be 9.")]
    public void Value_WrongOption_NamesOptionValueAndForm(string key, string value, string expected)
    {
        using var services = Services(($"Some:Part:{key}", value));

        var fault = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<Settings>>().Value);

        Assert.Equal(expected, Assert.Single(fault.Failures));
    }

    [Fact]
    public void Value_RightOptions_AreBound()
    {
        using var services = Services(("Some:Part:Age", "00:30:00"), ("Some:Part:Rows", "3"));
        Assert.Equal((TimeSpan.FromMinutes(30), 3), services.GetRequiredService<IOptions<Settings>>().Value is var settings ? (settings.Age, settings.Rows) : default);
    }

    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value)).Build());
        services.AddCheckedOptions<Settings>("Some:Part");
        services.AddCheckedOptions<Settings>("Some:Part");
        return services.BuildServiceProvider();
    }

    private sealed class Settings : IValidatableObject
    {
        [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
        public TimeSpan Age { get; set; }

        [Range(1, 9)]
        public int Rows { get; set; } = 1;

        [Range(0, 9, ErrorMessage = "Some:Part:Named must be a digit.")]
        public int Named { get; set; }

        [Required]
        public string Text { get; set; } = "text";

        [DataType(DataType.Password), RegularExpression("[!-~]*", ErrorMessage = "Some:Part:Key must be one word.")]
        public string? Key { get; set; }

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Rows == 9)
                yield return new($"Rows ({Rows}) must not be 9.");
        }
    }
}
