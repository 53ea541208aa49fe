using System.Globalization;
using System.Text;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>What a message's parts are called in a hub: message id and correlation id are AMQP's own, everything else is an application property.</summary>
internal static class HubMessages
{
    /// <summary>The key of a message, which can't be the hub's own partition key when the partition is named.</summary>
    public const string PartitionKey = "partition_key";

    /// <summary>What the SDK writes into an event that comes without a trace context.</summary>
    private const string DiagnosticId = "Diagnostic-Id";

    /// <summary>Memory of an event besides its body, roughly.</summary>
    private const int Overhead = 500;

    public static IEnumerable<KeyValuePair<string, string>> PropertiesOf(Message message, MessageIdentity identity)
    {
        foreach (var header in message.Headers.Items.ToArray())
            yield return header;
        if (!message.PartitionKey.IsEmpty)
            yield return new(PartitionKey, Encoding.UTF8.GetString(message.PartitionKey.Span));
        if (identity.Key.IsEmpty)
            yield break;
        yield return new(HeaderNames.IdempotencyKey, Encoding.UTF8.GetString(identity.Key.Span));
        yield return new(HeaderNames.IdempotencyIndex, identity.Index.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Any producer's event. What is not ours comes as it is: a property of another type as text, a name in lower case.</summary>
    public static ReceivedMessage Read(HubEvent received)
    {
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string? key = null;
        string? idempotencyKey = null;
        var index = -1L;
        foreach (var (name, value) in received.Properties)
        {
            var text = Text(value);
            switch (name)
            {
                case PartitionKey:
                    key = text;
                    break;
                case HeaderNames.IdempotencyKey:
                    idempotencyKey = text;
                    break;
                case HeaderNames.IdempotencyIndex:
                    index = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1;
                    break;
                case DiagnosticId:
                    headers.TryAdd(HeaderNames.TraceParent, text);
                    break;
                default:
                    headers[name.ToLowerInvariant()] = text;
                    break;
            }
        }

        var message = new Message(received.Body, Utf8(received.MessageId), Utf8(received.CorrelationId), Utf8(key ?? received.PartitionKey), headers.Count == 0 ? MessageHeaders.Empty : new(headers));
        return new(received.SequenceNumber, (received.EnqueuedAt.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond, message, MessageIdentity.Read(Utf8(idempotencyKey), index));
    }

    public static long HeldBytes(in ReceivedMessage message) => message.Message.Body.Length + Overhead;

    private static ReadOnlyMemory<byte> Utf8(string? text) => string.IsNullOrEmpty(text) ? default(ReadOnlyMemory<byte>) : Encoding.UTF8.GetBytes(text);

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        byte[] bytes => Convert.ToBase64String(bytes),
        DateTime time => time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
