using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PaymentPlatform.Ingest;

/// <summary>The service's instruments and spans.</summary>
internal sealed class IngestTelemetry
{
    public const string Name = "PaymentPlatform.Ingest";

    private static readonly ActivitySource Source = new(Name);

    private readonly Counter<long> _accepted;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _repeats;
    private readonly Counter<long> _bytes;
    private readonly Histogram<double> _duration;

    public IngestTelemetry(IMeterFactory meters, ByteBudget budget)
    {
        var meter = meters.Create(Name);
        _accepted = meter.CreateCounter<long>("ingest.events.accepted", "{event}", "Events taken, each once.");
        _rejected = meter.CreateCounter<long>("ingest.events.rejected", "{event}", "Events refused, by the constraint of their first error.");
        _repeats = meter.CreateCounter<long>("ingest.events.repeated", "{event}", "Events sent again under an idempotency key or CloudEvents id, and not taken again.");
        _bytes = meter.CreateCounter<long>("ingest.body.bytes", "By", "Bytes of request bodies read, decompressed.");
        _duration = meter.CreateHistogram<double>("ingest.request.duration", "s", "Time to the answer.");
        meter.CreateObservableUpDownCounter("ingest.bytes_in_flight", () => budget.Used, "By", "Room taken up by request bodies now.");
    }

    public void Accepted(long events) => _accepted.Add(events);

    public void Rejected(string constraint) => _rejected.Add(1, new KeyValuePair<string, object?>("constraint", constraint));

    public void Repeated(long events) => _repeats.Add(events);

    public void Read(long bytes) => _bytes.Add(bytes);

    public void Answered(TimeSpan duration, int status) =>
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("http.response.status_code", status));

    /// <summary>The span of one publish call.</summary>
    public static Activity? StartPublish(EventChunk chunk)
    {
        var activity = Source.StartActivity("ingest publish", ActivityKind.Producer);
        activity?.SetTag("messaging.operation.type", "send");
        activity?.SetTag("messaging.batch.message_count", chunk.MessageCount);
        activity?.SetTag("ingest.chunk", chunk.Number);
        return activity;
    }
}
