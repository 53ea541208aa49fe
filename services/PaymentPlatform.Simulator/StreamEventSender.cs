using System.Buffers.Text;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Simulator;

/// <summary>Publishes straight to the stream, keyed by customer. A publish that is tried again with unknown outcome may come twice, as with any producer of a broker.</summary>
internal sealed class StreamEventSender(MessagePublisher publisher, TimeProvider time) : EventSender
{
    private const int IdBytes = 36;

    // A customer's events stay in order as long as one batch follows the other.
    public override int Concurrency => 1;

    private byte[] _ids = [];
    private Message[] _messages = [];

    public override async Task<SendOutcome> SendAsync(EventBatch batch, TrafficStatistics statistics, CancellationToken cancellationToken)
    {
        Prepare(batch);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var started = time.GetTimestamp();
                await publisher.PublishAsync(_messages.AsMemory(0, batch.Count), [], cancellationToken);
                statistics.Answered(time.GetElapsedTime(started));
                return new(batch.Count, 0, []);
            }
            catch (StreamUnavailableException exception)
            {
                statistics.Missed($"The stream takes no events ({exception.Message.TrimEnd('.')})");
            }

            await Task.Delay(Backoff(attempt), time, cancellationToken);
        }
    }

    private void Prepare(EventBatch batch)
    {
        if (_messages.Length < batch.Count)
        {
            _messages = new Message[batch.Count];
            _ids = new byte[batch.Count * IdBytes];
        }

        for (var i = 0; i < batch.Count; i++)
        {
            var id = _ids.AsMemory(i * IdBytes, IdBytes);
            Utf8Formatter.TryFormat(Guid.CreateVersion7(), id.Span, out _);
            _messages[i] = new(batch.Line(i), id, default, batch.Key(i), MessageHeaders.Empty);
        }
    }
}
