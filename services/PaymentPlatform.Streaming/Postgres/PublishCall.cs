using System.Text;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>One waiting call of <see cref="PostgresMessagePublisher.PublishAsync"/>.</summary>
internal sealed class PublishCall
{
    private const int Queued = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;
    private const int MaxKeyLength = 300;
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    private readonly TaskCompletionSource<IReadOnlyList<ClaimOutcome>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ClaimOutcome[] _outcomes;
    private readonly int[] _sameAs;
    private bool _hasRepeats;
    private int _state;

    /// <exception cref="ArgumentException">A claim can't be stored, or lies outside the messages.</exception>
    /// <exception cref="MessageTooLargeException"/>
    public PublishCall(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, int keylessPartition)
    {
        Messages = messages;
        Claims = claims;
        KeylessPartition = keylessPartition;
        foreach (ref readonly var message in messages.Span)
        {
            if (message.Body.Length > PostgresStream.MaxBodySize)
                throw new MessageTooLargeException(message.Body.Length, PostgresStream.MaxBodySize);
            var identity = message.MessageId.Length + message.CorrelationId.Length + message.PartitionKey.Length;
            if (identity > PostgresStream.MaxIdentitySize)
                throw new MessageTooLargeException(identity, PostgresStream.MaxIdentitySize);
            Bytes += RecordBatchBuilder.SizeOf(message);
        }

        _outcomes = claims.Count == 0 ? [] : new ClaimOutcome[claims.Count];
        _sameAs = claims.Count == 0 ? [] : new int[claims.Count];
        var first = claims.Count > 1 ? new Dictionary<(string, int), int>(claims.Count) : null;
        for (var i = 0; i < claims.Count; i++)
        {
            Validate(claims[i], messages.Length);
            _outcomes[i] = new(false, claims[i].BodyHash, claims[i].Outcome);
            _sameAs[i] = i;
            if (first is not null && !first.TryAdd((claims[i].Key, claims[i].Chunk), i))
            {
                _sameAs[i] = first[(claims[i].Key, claims[i].Chunk)];
                MarkRepeat(i, _outcomes[_sameAs[i]]);
            }
        }
    }

    public ReadOnlyMemory<Message> Messages { get; }

    public IReadOnlyList<IdempotencyClaim> Claims { get; }

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

    public void Complete() => _completion.TrySetResult(_outcomes);

    public void Fail(Exception exception) => _completion.TrySetException(exception);

    /// <summary>False for a claim that repeats an earlier one: it and its messages stay out of the append.</summary>
    public bool IsFresh(int claim) => !_outcomes[claim].IsRepeat;

    /// <summary>The claim was taken before.</summary>
    public void MarkRepeat(int claim, ReadOnlyMemory<byte> bodyHash, ReadOnlyMemory<byte> outcome)
    {
        var earlier = new ClaimOutcome(true, bodyHash, outcome);
        for (var i = claim; i < _sameAs.Length; i++)
        {
            if (_sameAs[i] == claim)
                MarkRepeat(i, earlier);
        }
    }

    /// <summary>The messages to leave out, as a flag a message; null when all go in.</summary>
    public bool[]? LeftOut()
    {
        if (!_hasRepeats)
            return null;
        var leftOut = new bool[Messages.Length];
        for (var i = 0; i < Claims.Count; i++)
        {
            if (_outcomes[i].IsRepeat)
                leftOut.AsSpan(Claims[i].FirstMessage, Claims[i].MessageCount).Fill(true);
        }

        return leftOut;
    }

    private void MarkRepeat(int claim, ClaimOutcome earlier)
    {
        _outcomes[claim] = new(true, earlier.BodyHash, earlier.Outcome);
        _hasRepeats = true;
    }

    private static void Validate(IdempotencyClaim claim, int messages)
    {
        if (claim.Key.Length is 0 or > MaxKeyLength)
            throw new ArgumentException($"A claim's key has {claim.Key.Length} characters; 1 to {MaxKeyLength} are allowed.", nameof(claim));
        if (claim.FirstMessage < 0 || claim.MessageCount < 0 || claim.FirstMessage > messages - claim.MessageCount)
            throw new ArgumentException($"A claim covers the messages {claim.FirstMessage} to {claim.FirstMessage + claim.MessageCount}, but the call has {messages}.", nameof(claim));
        try
        {
            if (claim.Key.Contains('\0'))
                throw new ArgumentException("A claim's key holds a NUL character, which can't be stored.", nameof(claim));
            s_strict.GetByteCount(claim.Key);
        }
        catch (EncoderFallbackException)
        {
            throw new ArgumentException("A claim's key is not well-formed Unicode.", nameof(claim));
        }
    }
}
