using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Streams of the same database.</summary>
internal sealed class PostgresStreamTargets(
    NpgsqlDataSource database, PostgresStreamTopology own, IOptions<StreamingOptions> options, StreamingTelemetry telemetry, IConfiguration configuration, TimeProvider timeProvider, ILogger<PostgresMessagePublisher> logger)
    : StreamTargets(configuration, timeProvider)
{
    private readonly TimeProvider _timeProvider = timeProvider;

    public override bool IsOwn(string stream) => stream == options.Value.Stream;

    protected override async Task<MessagePublisher> OpenInspectedAsync(string stream, CancellationToken cancellationToken)
    {
        var target = Options.Create(options.Value.For(stream, (await own.GetAsync(cancellationToken)).Partitions));
        var topology = new PostgresStreamTopology(database, target);
        await topology.EnsureAsync(cancellationToken);
        return new PostgresMessagePublisher(database, topology, target, telemetry, _timeProvider, logger);
    }
}
