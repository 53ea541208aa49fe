using System.Text;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest.Tests;

/// <summary>A publisher with the claims of a real one: taken once, committed with their messages, all or nothing a call.</summary>
internal sealed class InMemoryPublisher : MessagePublisher
{
    private readonly Lock _lock = new();
    private readonly List<StoredMessage> _messages = [];
    private readonly Dictionary<(string Key, int Chunk), (byte[] Hash, byte[] Outcome)> _claims = [];
    private readonly List<IReadOnlyList<IdempotencyClaim>> _calls = [];

    /// <summary>Awaited before anything is taken.</summary>
    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    /// <summary>Awaited after all is taken: thrown from, the outcome of the append is unknown to the caller.</summary>
    public Func<Task> After { get; set; } = () => Task.CompletedTask;

    public int MaxMessageBytes { get; set; } = int.MaxValue;

    /// <summary>For a transport that counts more than the body.</summary>
    public Predicate<Message> IsTooLarge { get; set; } = _ => false;

    /// <summary>Off for long streams: only counts.</summary>
    public bool Keep { get; set; } = true;

    public long Count { get; private set; }

    public int Waiting { get; private set; }

    public IReadOnlyList<StoredMessage> Messages
    {
        get
        {
            lock (_lock)
                return [.. _messages];
        }
    }

    /// <summary>The claims of each call.</summary>
    public IReadOnlyList<IReadOnlyList<IdempotencyClaim>> Calls
    {
        get
        {
            lock (_lock)
                return [.. _calls];
        }
    }

    public override async ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(
        ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken)
    {
        lock (_lock)
            Waiting++;
        await Before();
        var outcomes = Take(messages, claims);
        await After();
        return outcomes;
    }

    private List<ClaimOutcome> Take(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims)
    {
        lock (_lock)
        {
            Waiting--;
            _calls.Add([.. claims]);
            for (var i = 0; i < messages.Length; i++)
            {
                if (messages.Span[i].Body.Length > MaxMessageBytes || IsTooLarge(messages.Span[i]))
                    throw new MessageTooLargeException(messages.Span[i].Body.Length, MaxMessageBytes, i);
            }

            var skipped = new HashSet<int>();
            var outcomes = new List<ClaimOutcome>();
            foreach (var claim in claims)
            {
                if (_claims.TryGetValue((claim.Key, claim.Chunk), out var earlier))
                {
                    outcomes.Add(new(true, earlier.Hash, earlier.Outcome));
                    skipped.UnionWith(Enumerable.Range(claim.FirstMessage, claim.MessageCount));
                }
                else
                {
                    _claims.Add((claim.Key, claim.Chunk), (claim.BodyHash.ToArray(), claim.Outcome.ToArray()));
                    outcomes.Add(new(false, claim.BodyHash, claim.Outcome));
                }
            }

            for (var i = 0; i < messages.Length; i++)
            {
                if (skipped.Contains(i))
                    continue;
                Count++;
                if (Keep)
                    _messages.Add(StoredMessage.From(messages.Span[i]));
            }

            return outcomes;
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal sealed record StoredMessage(byte[] Body, string Id, string CorrelationId, string Key, MessageHeaders Headers)
    {
        public string Text => Encoding.UTF8.GetString(Body);

        public static StoredMessage From(in Message message) => new(
            message.Body.ToArray(), Encoding.UTF8.GetString(message.MessageId.Span), Encoding.UTF8.GetString(message.CorrelationId.Span),
            Encoding.UTF8.GetString(message.PartitionKey.Span), message.Headers);
    }
}
