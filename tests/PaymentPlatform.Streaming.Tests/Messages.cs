using System.Text;

namespace PaymentPlatform.Streaming.Tests;

/// <summary>Makes messages.</summary>
public static class Messages
{
    public static Message Of(string body, string key = "", string id = "", string correlation = "", MessageHeaders? headers = null) =>
        Of(Encoding.UTF8.GetBytes(body), key, id, correlation, headers);

    public static Message Of(byte[] body, string key = "", string id = "", string correlation = "", MessageHeaders? headers = null) =>
        new(body, Encoding.UTF8.GetBytes(id), Encoding.UTF8.GetBytes(correlation), Encoding.UTF8.GetBytes(key), headers ?? MessageHeaders.Empty);

    /// <summary>Bodies "first" to "first + count - 1", each its own key.</summary>
    public static Message[] Numbered(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => Of($"{i}", key: $"key-{i}", id: $"message-{i}"))];

    public static ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(this MessagePublisher publisher, params Message[] messages) =>
        publisher.PublishAsync(messages, [], TestContext.Current.CancellationToken);

    public static ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(this MessagePublisher publisher, Message[] messages, params IdempotencyClaim[] claims) =>
        publisher.PublishAsync(messages, claims, TestContext.Current.CancellationToken);

    public static IdempotencyClaim Claim(string key, int chunk, string hash, string outcome, int first, int count) =>
        new(key, chunk, Encoding.UTF8.GetBytes(hash), Encoding.UTF8.GetBytes(outcome), first, count);

    public static string Text(this ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
