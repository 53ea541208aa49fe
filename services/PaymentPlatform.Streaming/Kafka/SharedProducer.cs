using Confluent.Kafka;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>
/// A producer that is disposed of once nobody uses it any more: a message that is handed to a disposed producer would never be reported, and its caller would wait for ever.
/// </summary>
internal sealed class SharedProducer(IProducer<byte[], byte[]> handle)
{
    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // One is the owner's own.
    private int _users = 1;
    private int _retired;

    public IProducer<byte[], byte[]> Handle => handle;

    /// <summary>Only while the owner has not retired it.</summary>
    public void Acquire() => Interlocked.Increment(ref _users);

    /// <summary>The fate of all that the user sent is known.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            _unused.SetResult();
    }

    /// <summary>The owner gives it up: it ends with its last user. Each message is acknowledged or fails within its time, so this ends.</summary>
    public async Task RetireAsync()
    {
        if (Interlocked.Exchange(ref _retired, 1) != 0)
            return;
        Release();
        await _unused.Task;
        // Not on librdkafka's own thread, which this waits for.
        await Task.Run(handle.Dispose);
    }
}
