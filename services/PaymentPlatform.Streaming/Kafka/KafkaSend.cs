using Confluent.Kafka;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Counts the acknowledgements of one publish call.</summary>
internal sealed class KafkaSend
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open = 1;
    private Error? _error;

    public KafkaSend() => Delivered = OnDelivered;

    /// <summary>One delegate for all messages of the call.</summary>
    public Action<DeliveryReport<byte[], byte[]>> Delivered { get; }

    /// <summary>The first error among the deliveries so far.</summary>
    public Error? Error => Volatile.Read(ref _error);

    public void Add() => Interlocked.Increment(ref _open);

    /// <summary>A message that was added was not sent after all.</summary>
    public void Drop() => End();

    /// <summary>No more are added.</summary>
    /// <returns>Ends when the fate of all is known.</returns>
    public Task CompleteAsync()
    {
        End();
        return _done.Task;
    }

    private void OnDelivered(DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.IsError)
            Interlocked.CompareExchange(ref _error, report.Error, null);
        End();
    }

    private void End()
    {
        if (Interlocked.Decrement(ref _open) == 0)
            _done.TrySetResult();
    }
}
