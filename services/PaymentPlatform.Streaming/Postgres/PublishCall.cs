namespace PaymentPlatform.Streaming.Postgres;

/// <summary>One waiting call of <see cref="PostgresMessagePublisher.PublishAsync"/>.</summary>
internal sealed class PublishCall
{
    private const int Queued = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;

    private readonly TaskCompletionSource<IReadOnlyList<ClaimOutcome>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    /// <exception cref="ArgumentException">A claim can't be stored, or lies outside the messages.</exception>
    /// <exception cref="MessageTooLargeException"/>
    public PublishCall(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, int keylessPartition)
    {
        Messages = messages;
        Claims = new(claims, messages.Length);
        KeylessPartition = keylessPartition;
        var span = messages.Span;
        for (var i = 0; i < span.Length; i++)
        {
            ref readonly var message = ref span[i];
            if (message.Body.Length > PostgresStream.MaxBodySize)
                throw new MessageTooLargeException(message.Body.Length, PostgresStream.MaxBodySize, i);
            var identity = message.MessageId.Length + message.CorrelationId.Length + message.PartitionKey.Length;
            if (identity > PostgresStream.MaxIdentitySize)
                throw new MessageTooLargeException(identity, PostgresStream.MaxIdentitySize, i);
            Bytes += RecordBatchBuilder.SizeOf(message);
        }
    }

    public ReadOnlyMemory<Message> Messages { get; }

    public ClaimSet Claims { get; }

    /// <summary>Where this call's messages without a key go, before the modulo.</summary>
    public int KeylessPartition { get; }

    public long Bytes { get; }

    public Task<IReadOnlyList<ClaimOutcome>> Completion => _completion.Task;

    /// <summary>The writer takes the call: from now on it runs to its end.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Queued) == Queued;

    /// <summary>Gives up a call that no writer has taken yet.</summary>
    public void TryCancel(CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _state, Cancelled, Queued) == Queued)
            _completion.TrySetCanceled(cancellationToken);
    }

    public void Complete() => _completion.TrySetResult(Claims.Outcomes);

    public void Fail(Exception exception) => _completion.TrySetException(exception);
}
