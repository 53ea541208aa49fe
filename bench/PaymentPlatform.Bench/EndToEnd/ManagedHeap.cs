using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>Follows the managed heap of another .NET process through its event counters, once a second. Dispose it before that process ends.</summary>
internal sealed class ManagedHeap : IAsyncDisposable
{
    private const string Counter = "gc-heap-size";

    private readonly EventPipeSession _session;
    private readonly Task _reading;
    private double _most;

    public ManagedHeap(int processId)
    {
        var counters = new EventPipeProvider("System.Runtime", EventLevel.Informational, (long)EventKeywords.None, new Dictionary<string, string> { ["EventCounterIntervalSec"] = "1" });
        _session = new DiagnosticsClient(processId).StartEventPipeSession(counters, requestRundown: false);
        _reading = Task.Run(Read);
    }

    /// <summary>Megabytes (10^6), what waits to be collected included; good after <see cref="DisposeAsync"/>.</summary>
    public double Most => _most;

    public async ValueTask DisposeAsync()
    {
        await _session.StopAsync(CancellationToken.None);
        await _reading;
        _session.Dispose();
    }

    private void Read()
    {
        using var source = new EventPipeEventSource(_session.EventStream);
        source.Dynamic.All += data =>
        {
            if (data.EventName == "EventCounters" && data.PayloadValue(0) is IDictionary<string, object> { } value && value["Payload"] is IDictionary<string, object> counter && counter["Name"] is Counter)
                _most = Math.Max(_most, (double)counter["Mean"]);
        };
        source.Process();
    }
}
