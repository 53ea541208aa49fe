using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Lets librdkafka itself judge the settings, before anything is started.</summary>
internal sealed class KafkaOptionsValidator(IConfiguration configuration, IOptions<StreamingOptions> streaming) : IValidateOptions<KafkaOptions>
{
    public ValidateOptionsResult Validate(string? name, KafkaOptions options)
    {
        try
        {
            var settings = new KafkaSettings(options, streaming.Value, configuration.GetConnectionString("payments"));
            // They begin to connect, and are gone before it matters.
            using var producer = new ProducerBuilder<Null, Null>(settings.Producer()).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
            using var consumer = new ConsumerBuilder<Ignore, Ignore>(settings.Consumer("check", 1)).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
            return ValidateOptionsResult.Success;
        }
        catch (FormatException e)
        {
            return ValidateOptionsResult.Fail(e.Message);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or KafkaException)
        {
            return ValidateOptionsResult.Fail($"{KafkaOptions.Section}:{nameof(KafkaOptions.Settings)} can't be used: {e.Message.TrimEnd('.')}.");
        }
    }
}
