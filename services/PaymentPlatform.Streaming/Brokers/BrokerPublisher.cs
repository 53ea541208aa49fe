using Npgsql;

namespace PaymentPlatform.Streaming.Brokers;

/// <summary>
/// Publishes over a broker, which can't commit an idempotency claim with the messages. A claim is begun in the database, its messages are sent, then it is ended: a repeat finds it ended and sends nothing,
/// another body under the key is refused before anything is sent, and a repeat of an attempt that died half-way sends again under the same identities, which consumers count once.
/// </summary>
public abstract class BrokerPublisher(NpgsqlDataSource database, TimeProvider timeProvider) : MessagePublisher
{
    /// <summary>How long an attempt may take before a repeat takes its place; longer than any send.</summary>
    internal static readonly TimeSpan ClaimDuration = TimeSpan.FromMinutes(2);

    /// <summary>How long a repeat waits for the attempt that is under way.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    public sealed override async ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(
        ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken)
    {
        if (claims.Count == 0)
        {
            if (!messages.IsEmpty)
                await SendAsync(messages, default, cancellationToken);
            return [];
        }

        CheckSizes(messages.Span);
        var outcomes = new ClaimOutcome[claims.Count];
        var fresh = await BeginAsync(claims, outcomes, cancellationToken);
        if (fresh.Count == 0 && CoversAll(messages, claims))
            return outcomes;
        try
        {
            await SendFreshAsync(messages, claims, outcomes, cancellationToken);
        }
        catch
        {
            await EndAsync(fresh, sent: false);
            throw;
        }

        await EndAsync(fresh, sent: true);
        return outcomes;
    }

    /// <summary>Throws for a message that is too large, before a claim is begun.</summary>
    /// <exception cref="MessageTooLargeException"/>
    protected abstract void CheckSizes(ReadOnlySpan<Message> messages);

    /// <summary>Completes once the broker holds all messages durably; their memory stays untouched until then.</summary>
    /// <param name="identities">One a message, or none at all. They travel as <see cref="HeaderNames.IdempotencyKey"/> and <see cref="HeaderNames.IdempotencyIndex"/> where their key is not empty.</param>
    /// <exception cref="StreamUnavailableException">Some of the messages may be in.</exception>
    /// <exception cref="MessageTooLargeException">Nothing is in.</exception>
    protected abstract Task SendAsync(ReadOnlyMemory<Message> messages, ReadOnlyMemory<MessageIdentity> identities, CancellationToken cancellationToken);

    /// <returns>The claims that are ours to send; the outcomes of the others are set.</returns>
    private async Task<List<IdempotencyClaim>> BeginAsync(IReadOnlyList<IdempotencyClaim> claims, ClaimOutcome[] outcomes, CancellationToken cancellationToken)
    {
        var (ours, open) = (new List<IdempotencyClaim>(), Enumerable.Range(0, claims.Count).ToList());
        var began = timeProvider.GetTimestamp();
        try
        {
            while (true)
            {
                await using (var connection = await OpenAsync(cancellationToken))
                {
                    var wanted = open.ConvertAll(i => claims[i]);
                    var taken = await InDatabaseAsync(() => ClaimStore.BeginAsync(connection, wanted, ClaimDuration, cancellationToken));
                    var standing = await InDatabaseAsync(() => ClaimStore.ReadAsync(connection, wanted, cancellationToken));
                    open.RemoveAll(i => IsSettled(i, taken, standing));
                }

                if (open.Count == 0)
                    return ours;
                if (timeProvider.GetElapsedTime(began) > LongestWait)
                    throw new StreamUnavailableException("Another request under the same idempotency key is still being taken. Send it again later.");
                await Task.Delay(s_poll, timeProvider, cancellationToken);
            }
        }
        catch
        {
            await EndAsync(ours, sent: false);
            throw;
        }

        bool IsSettled(int i, HashSet<(string, int)> taken, Dictionary<(string, int), ClaimStore.Standing> standing)
        {
            var claim = claims[i];
            if (taken.Contains((claim.Key, claim.Chunk)))
            {
                outcomes[i] = new(false, claim.BodyHash, claim.Outcome);
                ours.Add(claim);
                return true;
            }

            if (!standing.TryGetValue((claim.Key, claim.Chunk), out var stands) || (stands.IsSending && claim.BodyHash.Span.SequenceEqual(stands.BodyHash)))
                return false;
            outcomes[i] = new(true, stands.BodyHash, stands.Outcome);
            return true;
        }
    }

    private Task SendFreshAsync(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, ClaimOutcome[] outcomes, CancellationToken cancellationToken)
    {
        var identities = new MessageIdentity[messages.Length];
        var leftOut = new bool[messages.Length];
        var repeats = 0;
        for (var c = 0; c < claims.Count; c++)
        {
            var claim = claims[c];
            var key = System.Text.Encoding.UTF8.GetBytes(claim.Key);
            for (var i = 0; i < claim.MessageCount; i++)
            {
                identities[claim.FirstMessage + i] = new(key, claim.IndexOf(i));
                leftOut[claim.FirstMessage + i] = outcomes[c].IsRepeat;
                repeats += outcomes[c].IsRepeat ? 1 : 0;
            }
        }

        if (repeats == messages.Length)
            return Task.CompletedTask;
        if (repeats == 0)
            return SendAsync(messages, identities, cancellationToken);
        var kept = Enumerable.Range(0, messages.Length).Where(i => !leftOut[i]).ToArray();
        return SendAsync(Array.ConvertAll(kept, i => messages.Span[i]), Array.ConvertAll(kept, i => identities[i]), cancellationToken);
    }

    private async Task EndAsync(List<IdempotencyClaim> claims, bool sent)
    {
        if (claims.Count == 0)
            return;
        try
        {
            await using var connection = await OpenAsync(CancellationToken.None);
            await InDatabaseAsync(async () =>
            {
                await ClaimStore.EndAsync(connection, claims, sent, CancellationToken.None);
                return true;
            });
        }
        catch (StreamUnavailableException) when (!sent)
        {
            // The claim runs out by itself.
        }
    }

    private static bool CoversAll(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims) => claims.Sum(c => c.MessageCount) == messages.Length;

    private Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => InDatabaseAsync(() => database.OpenConnectionAsync(cancellationToken).AsTask());

    private static async Task<T> InDatabaseAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            throw new StreamUnavailableException($"The idempotency keys can't be reached in the database: {e.Message.TrimEnd('.')} (connection string 'paymentsdb').", e);
        }
    }
}
