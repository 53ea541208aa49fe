using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Brokers;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Topics of the same brokers. Each publisher has connections of its own, which end with it.</summary>
internal sealed class KafkaStreamTargets(
    NpgsqlDataSource database, IOptions<KafkaOptions> kafka, IOptions<StreamingOptions> options, StreamOutage outage, StreamingTelemetry telemetry, IConfiguration configuration, TimeProvider timeProvider, ILoggerFactory loggers)
    : StreamTargets(configuration, timeProvider)
{
    private readonly IConfiguration _configuration = configuration;
    private readonly TimeProvider _timeProvider = timeProvider;

    public override bool IsOwn(string stream) => stream == options.Value.Stream;

    protected override async Task<MessagePublisher> OpenInspectedAsync(string stream, CancellationToken cancellationToken)
    {
        var target = Options.Create(options.Value.For(stream, options.Value.Partitions));
        var connection = new KafkaConnection(kafka, target, _configuration, outage, loggers.CreateLogger<KafkaConnection>());
        try
        {
            var log = new KafkaLog(connection, database, new BrokerLog(database, stream, KafkaStream.Transport), target, loggers.CreateLogger<KafkaLog>());
            if (await log.ReadAsync(cancellationToken) is null)
                throw new StreamNotFoundException($"There is no topic '{stream}' at the Kafka brokers {connection.Settings.Address}: make it, or correct the name.");
            var topology = new KafkaStreamTopology(connection, log, kafka, target, _timeProvider, loggers.CreateLogger<KafkaStreamTopology>());
            return new OwningPublisher(new KafkaMessagePublisher(connection, topology, database, target, telemetry, _timeProvider), () =>
            {
                connection.Dispose();
                return ValueTask.CompletedTask;
            });
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
