using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Postgres;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>The hub as it stands. It is made by whoever makes the namespace (the AppHost, a template), never here: its partitions and retention are paid for.</summary>
internal sealed class EventHubsTopology(HubClient hub, HubLog log, NpgsqlDataSource database, IOptions<StreamingOptions> options) : StreamTopology
{
    /// <summary>Finds the hub, and mirrors its log in the database.</summary>
    public override async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        try
        {
            await log.ObserveAsync(isPressing: false, cancellationToken);
        }
        catch (Exception e) when (e is HubException or NpgsqlException or TimeoutException or InvalidOperationException)
        {
            throw Unavailable(e);
        }
    }

    /// <summary>One line about the stream, the address and what to do.</summary>
    public StreamUnavailableException Unavailable(Exception reason) => reason is HubException fault
        ? new($"The stream '{options.Value.Stream}' can't be reached: {hub.Address}: {fault.Message}. {Advice(fault.Fault)} (connection string '{HubAddress.ConnectionName}').", reason)
        : PostgresStream.Unavailable(options.Value.Stream, database, reason);

    private static string Advice(HubFault fault) => fault switch
    {
        HubFault.NotFound => "Make the hub first, or correct its name",
        HubFault.Refused => "Give the application's identity the role Azure Event Hubs Data Sender or Receiver, or correct the key",
        _ => "Is the address right, and is the hub up?",
    };
}
