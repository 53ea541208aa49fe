using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Brokers;
using PaymentPlatform.Streaming.Kafka;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the stream over Kafka.</summary>
internal static class KafkaStreamExtensions
{
    /// <summary>Section <c>Streaming:Kafka</c>, connection string <c>payments</c>.</summary>
    public static void AddKafkaStream(this IHostApplicationBuilder builder)
    {
        builder.Services.AddCheckedOptions<KafkaOptions>(KafkaOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<KafkaOptions>, KafkaOptionsValidator>();
        builder.Services.AddSingleton<KafkaConnection>();
        builder.Services.AddSingleton(provider => new BrokerLog(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<IOptions<StreamingOptions>>().Value.Stream, KafkaStream.Transport));
        builder.Services.AddSingleton<KafkaLog>();
        builder.Services.AddSingleton<KafkaStreamTopology>();
        builder.Services.AddSingleton<StreamTopology>(provider => provider.GetRequiredService<KafkaStreamTopology>());
        builder.Services.AddSingleton<MessagePublisher, KafkaMessagePublisher>();
        builder.Services.AddSingleton<StreamTargets, KafkaStreamTargets>();
        builder.Services.AddSingleton<MessageConsumerFactory, KafkaMessageConsumerFactory>();
        builder.Services.AddSingleton<StreamRangeReader, KafkaStreamRangeReader>();
    }
}
