using System.Buffers.Text;
using System.Security.Cryptography;
using PaymentPlatform.Events;

namespace PaymentPlatform.Ingest;

/// <summary>
/// Turns a chunk's slices into messages and rejections, while the chunk before is being published: nothing of it is used there (<see cref="LateRejections"/>).
/// Allocates nothing for a valid event that is not a CloudEvent.
/// </summary>
internal sealed class ChunkEvaluator(TransactionParser parser, RequestInfo request, IngestOptions options, TimeProvider timeProvider)
{
    private static readonly byte[] AcceptedOutcome = [(byte)'1'];

    private readonly List<ValidationError> _errors = [];
    private readonly Dictionary<string, int> _claims = [];

    /// <param name="listRejections">False when the answer is known to have no room for more of them.</param>
    public void Evaluate(EventChunk chunk, bool listRejections)
    {
        var now = (timeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var slices = chunk.Slices;
        _claims.Clear();
        for (var order = 0; order < slices.Length; order++)
        {
            if (slices[order].Offset < 0 || slices[order].Size > options.MaxEventBytes)
            {
                var size = slices[order].Size;
                Reject(chunk, order, null, [LateRejections.TooLarge(size, options.MaxEventBytes)], listRejections);
                continue;
            }

            var element = chunk.Source.AsMemory(slices[order].Offset, (int)slices[order].Size);
            if (request.Format is IngestFormat.CloudEvent or IngestFormat.CloudEventBatch)
                EvaluateCloudEvent(chunk, order, element, now, listRejections);
            else
                EvaluateTransaction(chunk, order, element, MessageId(chunk, order), now, listRejections);
        }
    }

    private void EvaluateCloudEvent(EventChunk chunk, int order, ReadOnlyMemory<byte> element, long now, bool listRejections)
    {
        _errors.Clear();
        var envelope = CloudEventEnvelope.Read(element, chunk.Arena, _errors);
        if (_errors.Count > 0)
        {
            Reject(chunk, order, null, _errors, listRejections);
            return;
        }

        if (!EvaluateTransaction(chunk, order, envelope.Data, envelope.Id, now, listRejections) || request.IdempotencyKey is not null)
            return;

        var key = IdempotencyKey.ClaimKey(envelope.Source.Span, envelope.Id.Span);
        var hash = SHA256.HashData(envelope.Data.Span);
        if (!_claims.TryGetValue(key, out var earlier))
        {
            _claims.Add(key, chunk.EventClaims.Count);
            chunk.EventClaims.Add(new(key, 0, hash, AcceptedOutcome, chunk.MessageCount - 1, 1));
            return;
        }

        chunk.RemoveLastMessage();
        if (chunk.EventClaims[earlier].BodyHash.Span.SequenceEqual(hash))
            chunk.Repeats.Add((earlier, order));
        else
            Reject(chunk, order, parser.Parse(envelope.Data, now).Transaction.TransactionId.ToString(), [LateRejections.Conflict()], listRejections);
    }

    private bool EvaluateTransaction(EventChunk chunk, int order, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte> messageId, long now, bool listRejections)
    {
        var result = parser.Parse(payload, now);
        var transaction = result.Transaction;
        if (!result.IsValid)
        {
            Reject(chunk, order, transaction.TransactionId.ToString(), result.Errors, listRejections);
            return false;
        }

        chunk.AddMessage(
            new(
                chunk.Keep(result.Payload),
                messageId,
                transaction.CorrelationId.Length > 0 ? chunk.Keep(transaction.CorrelationId.Memory) : request.CorrelationId,
                chunk.Keep(transaction.PartitionKey.Memory),
                result.IsMasked ? request.MaskedHeaders : request.Headers),
            order);
        return true;
    }

    private ReadOnlyMemory<byte> MessageId(EventChunk chunk, int order)
    {
        const int indexDigits = 19;
        var id = chunk.Arena.Allocate(request.RequestId.Length + 1 + indexDigits);
        request.RequestId.Span.CopyTo(id.Span);
        id.Span[request.RequestId.Length] = (byte)'-';
        Utf8Formatter.TryFormat(chunk.FirstIndex + order, id.Span[(request.RequestId.Length + 1)..], out var written);
        return id[..(request.RequestId.Length + 1 + written)];
    }

    private static void Reject(EventChunk chunk, int order, string? transactionId, IReadOnlyList<ValidationError> errors, bool listed) =>
        chunk.Rejections.Add(order, chunk.FirstIndex + order, transactionId, errors, listed);
}
