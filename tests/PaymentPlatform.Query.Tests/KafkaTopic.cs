using System.Text;
using Confluent.Kafka;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>A topic as any consumer sees it.</summary>
internal static class KafkaTopic
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    /// <summary>All messages, partition by partition, with their idempotency key and index.</summary>
    public static List<(string Identity, StreamContents Message)> Read(MockKafka broker, string topic)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = broker.Address, GroupId = "foreign", EnableAutoCommit = false }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var messages = new List<(string, StreamContents)>();
        foreach (var partition in admin.GetMetadata(topic, s_timeout).Topics.Single().Partitions.Select(p => p.PartitionId))
        {
            var end = consumer.QueryWatermarkOffsets(new(topic, partition), s_timeout).High.Value;
            consumer.Assign(new TopicPartitionOffset(topic, partition, 0));
            for (var next = 0L; next < end;)
            {
                var read = consumer.Consume(s_timeout) ?? throw new TimeoutException($"{topic}/{partition} ends at {next} instead of {end}.");
                next = read.Offset.Value + 1;
                var headers = read.Message.Headers.ToDictionary(h => h.Key, h => Encoding.UTF8.GetString(h.GetValueBytes()));
                messages.Add(($"{headers["idempotency_key"]} {headers["idempotency_index"]}", new(
                    Encoding.UTF8.GetString(read.Message.Value), headers["message_id"], headers.GetValueOrDefault("correlation_id", ""), Encoding.UTF8.GetString(read.Message.Key), headers["origin"], headers["origin_id"], null)
                    { Partition = partition }));
            }
        }

        return messages;
    }
}
