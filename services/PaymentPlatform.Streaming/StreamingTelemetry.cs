using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming;

/// <summary>The stream's instruments: meter and activity source <c>PaymentPlatform.Streaming</c>.</summary>
public sealed class StreamingTelemetry : IDisposable
{
    public const string Name = "PaymentPlatform.Streaming";

    private readonly Meter _meter;
    private readonly Counter<long> _appended;
    private readonly Counter<long> _appendedBytes;
    private readonly Counter<long> _storedBytes;
    private readonly Histogram<double> _appendTime;
    private readonly Histogram<int> _appendFill;
    private readonly Counter<long> _noRoom;
    private readonly Counter<long> _appendFaults;
    private readonly Counter<long> _received;
    private readonly Counter<long> _receivedBytes;
    private readonly Counter<long> _corrupt;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _lostLeases;
    private readonly ConcurrentDictionary<(string Group, StreamPartition Partition), long> _lag = new();

    public StreamingTelemetry(IMeterFactory? meters = null)
    {
        _meter = meters?.Create(new MeterOptions(Name)) ?? new Meter(Name);
        _appended = _meter.CreateCounter<long>("streaming.append.events", "{event}", "Events that the stream took.");
        _appendedBytes = _meter.CreateCounter<long>("streaming.append.bytes", "By", "Bytes of the events that the stream took, with keys, ids and headers.");
        _storedBytes = _meter.CreateCounter<long>("streaming.append.stored_bytes", "By", "Bytes that they took up, compressed.");
        _appendTime = _meter.CreateHistogram<double>("streaming.append.duration", "s", "Time of one append, from its encoding to its commit.");
        _appendFill = _meter.CreateHistogram<int>("streaming.append.fill", "{event}", "Events that one append carried.");
        _noRoom = _meter.CreateCounter<long>("streaming.append.no_room", "{event}", "Events refused because the stream's disk budget is used up.");
        _appendFaults = _meter.CreateCounter<long>("streaming.append.faults", "{append}", "Appends that failed.");
        _received = _meter.CreateCounter<long>("streaming.receive.events", "{event}", "Events handed to consumers.");
        _receivedBytes = _meter.CreateCounter<long>("streaming.receive.bytes", "By", "Bodies' bytes handed to consumers.");
        _corrupt = _meter.CreateCounter<long>("streaming.receive.corrupt", "{batch}", "Attempts to read a record batch that is damaged.");
        _gaps = _meter.CreateCounter<long>("streaming.receive.gap", "{offset}", "Offsets that were gone before a group had read them.");
        _lostLeases = _meter.CreateCounter<long>("streaming.lease.lost", "{partition}", "Partitions lost without being released.");
        _meter.CreateObservableGauge("streaming.lag", ObserveLag, "{event}", "Events between a group's checkpoint and the end of the partition, as its owner last saw it.");
    }

    public ActivitySource Activities { get; } = new(Name);

    public void Dispose()
    {
        _meter.Dispose();
        Activities.Dispose();
    }

    internal void Appended(int events, long bytes, long storedBytes, TimeSpan duration)
    {
        _appended.Add(events);
        _appendedBytes.Add(bytes);
        _storedBytes.Add(storedBytes);
        _appendTime.Record(duration.TotalSeconds);
        _appendFill.Record(events);
    }

    internal void NoRoom(int events) => _noRoom.Add(events);

    internal void AppendFailed() => _appendFaults.Add(1);

    internal void Received(string group, int events, long bytes)
    {
        var tag = new KeyValuePair<string, object?>("consumer_group", group);
        _received.Add(events, tag);
        _receivedBytes.Add(bytes, tag);
    }

    internal void Corrupt(string group) => _corrupt.Add(1, new KeyValuePair<string, object?>("consumer_group", group));

    internal void Gap(string group, long offsets) => _gaps.Add(offsets, new KeyValuePair<string, object?>("consumer_group", group));

    internal void LeaseLost(string group) => _lostLeases.Add(1, new KeyValuePair<string, object?>("consumer_group", group));

    internal void Lag(string group, StreamPartition partition, long events) => _lag[(group, partition)] = events;

    /// <summary>Another owner reports it from now on.</summary>
    internal void NoLag(string group, StreamPartition partition) => _lag.TryRemove((group, partition), out _);

    private IEnumerable<Measurement<long>> ObserveLag() => _lag.Select(l => new Measurement<long>(
        l.Value, new("consumer_group", l.Key.Group), new("stream", l.Key.Partition.Stream), new("partition_id", l.Key.Partition.PartitionId)));
}
