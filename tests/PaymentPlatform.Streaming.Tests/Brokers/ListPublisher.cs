using Npgsql;
using PaymentPlatform.Streaming.Brokers;

namespace PaymentPlatform.Streaming.Tests.Brokers;

/// <summary>A broker that is a list, and fails when it is told to.</summary>
internal sealed class ListPublisher(NpgsqlDataSource database, TimeProvider? time = null) : BrokerPublisher(database, time ?? TimeProvider.System)
{
    public const int Limit = 1000;

    /// <summary>The key without the moment of its first use.</summary>
    public List<(string Text, string Key, long Index)> Sent { get; } = [];

    public List<string> Identities { get; } = [];

    /// <summary>Before the messages are in, and after.</summary>
    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    public Func<Task> After { get; set; } = () => Task.CompletedTask;

    public override ValueTask DisposeAsync() => default;

    protected override void CheckSizes(ReadOnlySpan<Message> messages)
    {
        for (var i = 0; i < messages.Length; i++)
        {
            if (messages[i].Body.Length > Limit)
                throw new MessageTooLargeException(messages[i].Body.Length, Limit, i);
        }
    }

    protected override async Task SendAsync(ReadOnlyMemory<Message> messages, ReadOnlyMemory<MessageIdentity> identities, CancellationToken cancellationToken)
    {
        await Before();
        lock (Sent)
        {
            for (var i = 0; i < messages.Length; i++)
            {
                var identity = identities.IsEmpty ? default : identities.Span[i];
                Sent.Add((messages.Span[i].Body.Text(), identity.Key.Text().Split('@')[0], identity.Index));
                Identities.Add(identity.Key.Text());
            }
        }

        await After();
    }
}
