using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Hubs of the same namespace. Each publisher has a client of its own, which ends with it.</summary>
internal sealed class EventHubsStreamTargets(
    HubClient own, NpgsqlDataSource database, IOptions<StreamingOptions> options, StreamingTelemetry telemetry, IConfiguration configuration, TimeProvider timeProvider, ILoggerFactory loggers)
    : StreamTargets(configuration, timeProvider)
{
    private readonly TimeProvider _timeProvider = timeProvider;

    /// <summary>The service takes a hub's name in any case.</summary>
    public override bool IsOwn(string stream) => stream.Equals(own.Address.Hub, StringComparison.OrdinalIgnoreCase);

    protected override async Task<MessagePublisher> OpenInspectedAsync(string stream, CancellationToken cancellationToken)
    {
        var hub = own.OpenOther(stream);
        try
        {
            var target = Options.Create(options.Value.For(stream, options.Value.Partitions));
            var topology = new EventHubsTopology(hub, new HubLog(hub, database, target, _timeProvider, loggers.CreateLogger<HubLog>()), database, target);
            try
            {
                await hub.GetPropertiesAsync(cancellationToken);
            }
            catch (HubException e)
            {
                var fault = topology.Unavailable(e);
                throw e.Fault == HubFault.NotFound ? new StreamNotFoundException(fault.Message, e) : fault;
            }

            return new OwningPublisher(new EventHubsPublisher(hub, topology, database, telemetry, _timeProvider, loggers.CreateLogger<EventHubsPublisher>()), hub.DisposeAsync);
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }
}
