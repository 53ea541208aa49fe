using System.Globalization;
using System.Text;
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
        var set = new ClaimSet(claims, messages.Length);
        var begun = await BeginAsync(set, cancellationToken);
        try
        {
            await SendFreshAsync(messages, set, begun, cancellationToken);
        }
        catch
        {
            await EndAsync(begun, sent: false);
            throw;
        }

        await EndAsync(begun, sent: true);
        return set.Outcomes;
    }

    /// <summary>Throws for a message that is too large, before a claim is begun.</summary>
    /// <exception cref="MessageTooLargeException"/>
    protected abstract void CheckSizes(ReadOnlySpan<Message> messages);

    /// <summary>Completes once the broker holds all messages durably; their memory stays untouched until then.</summary>
    /// <param name="identities">One a message, or none at all. They travel as <see cref="HeaderNames.IdempotencyKey"/> and <see cref="HeaderNames.IdempotencyIndex"/> where their key is not empty.</param>
    /// <exception cref="StreamUnavailableException">Some of the messages may be in.</exception>
    /// <exception cref="MessageTooLargeException">Nothing is in; its index is among these messages.</exception>
    protected abstract Task SendAsync(ReadOnlyMemory<Message> messages, ReadOnlyMemory<MessageIdentity> identities, CancellationToken cancellationToken);

    /// <summary>Until each claim is ours to send, or a repeat.</summary>
    /// <returns>Ours, with the moment of each one's first attempt.</returns>
    private async Task<List<(IdempotencyClaim Claim, long Since)>> BeginAsync(ClaimSet set, CancellationToken cancellationToken)
    {
        var (ours, open) = (new List<(IdempotencyClaim Claim, long Since)>(), Enumerable.Range(0, set.Claims.Count).Where(set.IsFresh).ToList());
        var began = timeProvider.GetTimestamp();
        try
        {
            while (true)
            {
                var wanted = open.ConvertAll(i => set.Claims[i]);
                var (taken, standing) = await InDatabaseAsync(async connection => (
                    await ClaimStore.BeginAsync(connection, wanted, ClaimDuration, cancellationToken),
                    await ClaimStore.ReadAsync(connection, wanted, cancellationToken)), cancellationToken);
                ours.AddRange(wanted.Where(c => taken.ContainsKey((c.Key, c.Chunk))).Select(c => (c, taken[(c.Key, c.Chunk)])));
                open.RemoveAll(i => taken.ContainsKey((set.Claims[i].Key, set.Claims[i].Chunk)) || IsRepeat(set, i, standing));
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
    }

    /// <summary>True when the claim's messages are in the stream, or the key belongs to another body; false while an attempt with the same body is under way.</summary>
    private static bool IsRepeat(ClaimSet set, int claim, Dictionary<(string Key, int Chunk), ClaimStore.Standing> standing)
    {
        var wanted = set.Claims[claim];
        if (!standing.TryGetValue((wanted.Key, wanted.Chunk), out var stands) || (stands.IsSending && wanted.BodyHash.Span.SequenceEqual(stands.BodyHash)))
            return false;
        set.MarkRepeat(claim, stands.BodyHash, stands.Outcome);
        return true;
    }

    private async Task SendFreshAsync(ReadOnlyMemory<Message> messages, ClaimSet set, List<(IdempotencyClaim Claim, long Since)> begun, CancellationToken cancellationToken)
    {
        var identities = new MessageIdentity[messages.Length];
        foreach (var (claim, since) in begun)
        {
            // Consumers remember longer than we do: a key that is used anew once its claim is forgotten must not meet the events of its former use.
            var key = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{claim.Key}@{since:x}"));
            for (var i = 0; i < claim.MessageCount; i++)
                identities[claim.FirstMessage + i] = new(key, claim.IndexOf(i));
        }

        if (set.LeftOut() is not { } leftOut)
        {
            if (!messages.IsEmpty)
                await SendAsync(messages, identities, cancellationToken);
            return;
        }

        var kept = Enumerable.Range(0, messages.Length).Where(i => !leftOut[i]).ToArray();
        if (kept.Length == 0)
            return;
        try
        {
            await SendAsync(Array.ConvertAll(kept, i => messages.Span[i]), Array.ConvertAll(kept, i => identities[i]), cancellationToken);
        }
        catch (MessageTooLargeException e)
        {
            throw new MessageTooLargeException(e.Size, e.Limit, kept[e.Index]);
        }
    }

    private async Task EndAsync(List<(IdempotencyClaim Claim, long Since)> begun, bool sent)
    {
        if (begun.Count == 0)
            return;
        try
        {
            await InDatabaseAsync(async connection =>
            {
                await ClaimStore.EndAsync(connection, begun.ConvertAll(b => b.Claim), sent, CancellationToken.None);
                return true;
            }, CancellationToken.None);
        }
        catch (StreamUnavailableException) when (!sent)
        {
            // The claim runs out by itself.
        }
    }

    private async Task<T> InDatabaseAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            return await work(connection);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            throw new StreamUnavailableException($"The idempotency keys can't be reached in the database: {e.Message.TrimEnd('.')} (connection string 'paymentsdb').", e);
        }
    }
}
