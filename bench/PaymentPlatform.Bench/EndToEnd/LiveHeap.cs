using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>What is reachable in the managed heap of another .NET process: it collects all generations, and says what is left.</summary>
internal static class LiveHeap
{
    private const string Provider = "Microsoft-Windows-DotNETRuntime";

    // Makes the runtime collect when a session with it begins.
    private const ClrTraceEventParser.Keywords Keywords = ClrTraceEventParser.Keywords.GC | ClrTraceEventParser.Keywords.GCHeapCollect;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <returns>Bytes.</returns>
    /// <exception cref="TimeoutException">The process has not collected within 30 s.</exception>
    public static async Task<long> MeasureAsync(int processId)
    {
        using var session = new DiagnosticsClient(processId).StartEventPipeSession(new EventPipeProvider(Provider, EventLevel.Informational, (long)Keywords), requestRundown: false);
        var size = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = Task.Run(Read);
        try
        {
            return await size.Task.WaitAsync(Patience);
        }
        finally
        {
            await session.StopAsync(CancellationToken.None);
            await reading;
        }

        void Read()
        {
            using var source = new EventPipeEventSource(session.EventStream);
            var isInduced = false;
            source.Clr.GCStart += start => isInduced |= start is { Depth: 2, Reason: Microsoft.Diagnostics.Tracing.Parsers.Clr.GCReason.Induced };
            source.Clr.GCHeapStats += stats =>
            {
                if (isInduced)
                    size.TrySetResult(stats.TotalHeapSize);
            };
            source.Process();
        }
    }
}
