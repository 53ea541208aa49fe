using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Brokers;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Hands messages to librdkafka, which batches, compresses and retries them as an idempotent producer: in order, each once.</summary>
internal sealed class KafkaMessagePublisher(KafkaConnection connection, KafkaStreamTopology topology, NpgsqlDataSource database, IOptions<StreamingOptions> streaming, StreamingTelemetry telemetry, TimeProvider timeProvider)
    : BrokerPublisher(database, timeProvider)
{
    private static readonly TimeSpan s_full = TimeSpan.FromMilliseconds(5);

    private readonly string _topic = streaming.Value.Stream;
    private readonly TimeProvider _timeProvider = timeProvider;
    private readonly Lock _gate = new();
    private SharedProducer? _producer;
    private Task? _ensured;
    private bool _disposed;

    protected override void CheckSizes(ReadOnlySpan<Message> messages)
    {
        var limit = connection.Settings.MaxBodySize;
        for (var i = 0; i < messages.Length; i++)
        {
            ref readonly var message = ref messages[i];
            if (message.Body.Length > limit)
                throw new MessageTooLargeException(message.Body.Length, limit, i);
            var identity = message.MessageId.Length + message.CorrelationId.Length + message.PartitionKey.Length;
            if (identity > KafkaSettings.MaxIdentitySize / 2)
                throw new MessageTooLargeException(identity, KafkaSettings.MaxIdentitySize / 2, i);
        }
    }

    protected override async Task SendAsync(ReadOnlyMemory<Message> messages, ReadOnlyMemory<MessageIdentity> identities, CancellationToken cancellationToken)
    {
        CheckSizes(messages.Span);
        cancellationToken.ThrowIfCancellationRequested();
        var began = _timeProvider.GetTimestamp();
        await EnsureAsync().WaitAsync(cancellationToken);
        var producer = Acquire();
        var send = new KafkaSend();
        Error? refused = null;
        var bytes = 0L;
        try
        {
            for (var i = 0; i < messages.Length && refused is null && send.Error is null;)
            {
                i = Enqueue(producer.Handle, send, messages.Span, identities.Span, i, ref bytes, out refused);
                if (refused?.Code != ErrorCode.Local_QueueFull)
                    continue;
                refused = null;
                await Task.Delay(s_full, _timeProvider, cancellationToken);
            }
        }
        finally
        {
            // A caller may go; the producer stays until the fate of its messages is known.
            var completed = send.CompleteAsync();
            _ = completed.ContinueWith(_ => producer.Release(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await completed.WaitAsync(cancellationToken);
        }

        if ((refused ?? send.Error) is { } error)
        {
            telemetry.AppendFailed();
            if (error.IsFatal || error.Code is ErrorCode.Local_Fatal)
                Replace(producer);
            if (KafkaLog.IsMissing(error.Code))
                Volatile.Write(ref _ensured, null);
            throw connection.Unavailable(Describe(error), new KafkaException(error));
        }

        telemetry.Appended(messages.Length, bytes, bytes, _timeProvider.GetElapsedTime(began));
    }

    public override async ValueTask DisposeAsync()
    {
        SharedProducer? producer;
        lock (_gate)
        {
            _disposed = true;
            (producer, _producer) = (_producer, null);
        }

        if (producer is not null)
            await producer.RetireAsync();
    }

    /// <returns>The message to go on with.</returns>
    private int Enqueue(
        IProducer<byte[], byte[]> producer, KafkaSend send, ReadOnlySpan<Message> messages, ReadOnlySpan<MessageIdentity> identities, int next, ref long bytes, out Error? refused)
    {
        refused = null;
        var lastHeaders = MessageHeaders.Empty;
        byte[][] values = [];
        for (; next < messages.Length; next++)
        {
            ref readonly var message = ref messages[next];
            if (!ReferenceEquals(message.Headers, lastHeaders))
            {
                lastHeaders = message.Headers;
                values = new byte[lastHeaders.Count][];
                for (var i = 0; i < values.Length; i++)
                    values[i] = Encoding.UTF8.GetBytes(lastHeaders.Items[i].Value);
            }

            send.Add();
            try
            {
                producer.Produce(_topic, ToKafka(message, values, identities.IsEmpty ? default : identities[next]), send.Delivered);
            }
            catch (ProduceException<byte[], byte[]> e)
            {
                send.Drop();
                refused = e.Error;
                return next;
            }
            catch
            {
                send.Drop();
                throw;
            }

            bytes += message.Body.Length + message.PartitionKey.Length + message.MessageId.Length + message.CorrelationId.Length;
        }

        return next;
    }

    private static Message<byte[], byte[]> ToKafka(in Message message, byte[][] values, MessageIdentity identity)
    {
        var headers = new Headers();
        for (var i = 0; i < values.Length; i++)
            headers.Add(message.Headers.Items[i].Key, values[i]);
        if (!message.MessageId.IsEmpty)
            headers.Add(HeaderNames.MessageId, message.MessageId.ToArray());
        if (!message.CorrelationId.IsEmpty)
            headers.Add(HeaderNames.CorrelationId, message.CorrelationId.ToArray());
        if (!identity.Key.IsEmpty)
        {
            headers.Add(HeaderNames.IdempotencyKey, identity.Key.ToArray());
            headers.Add(HeaderNames.IdempotencyIndex, Encoding.ASCII.GetBytes(identity.Index.ToString(CultureInfo.InvariantCulture)));
        }

        return new() { Key = message.PartitionKey.IsEmpty ? null! : message.PartitionKey.ToArray(), Value = message.Body.ToArray(), Headers = headers };
    }

    /// <summary>The topic is there; looked at before the first send only, together by all who wait for it.</summary>
    private Task EnsureAsync()
    {
        lock (_gate)
        {
            if (_ensured is null || _ensured.IsFaulted)
                _ensured = topology.EnsureAsync(CancellationToken.None).AsTask();
            return _ensured;
        }
    }

    private SharedProducer Acquire()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_producer is null)
            {
                SharedProducer? made = null;
                made = new(connection.CreateProducer(error =>
                {
                    if (error.IsFatal && made is not null)
                        Replace(made);
                }));
                _producer = made;
            }

            _producer.Acquire();
            return _producer;
        }
    }

    /// <summary>A producer that can't go on makes room for a new one.</summary>
    private void Replace(SharedProducer broken)
    {
        lock (_gate)
        {
            if (_producer != broken)
                return;
            _producer = null;
        }

        _ = broken.RetireAsync();
    }

    private string Describe(Error error) => error.Code switch
    {
        ErrorCode.MsgSizeTooLarge => $"the topic '{_topic}' does not take a message that {KafkaOptions.Section}:{nameof(KafkaOptions.MaxMessageBytes)} allows; raise its max.message.bytes, or lower that",
        ErrorCode.Local_MsgTimedOut => "no broker took the messages in time",
        _ => error.Reason,
    };
}
