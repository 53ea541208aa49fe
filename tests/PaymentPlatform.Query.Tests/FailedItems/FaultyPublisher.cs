using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Tests.FailedItems;

/// <summary>The real publisher, in front of or behind which something happens.</summary>
internal sealed class FaultyPublisher(MessagePublisher inner) : MessagePublisher
{
    /// <summary>The key under which events come that were looked at for card data already.</summary>
    private const string Inspected = "inspected";

    /// <summary>Thrown in place of an append.</summary>
    public Func<Exception>? Before { get; set; }

    /// <summary>Thrown once the append is durable, as if the process had ended there.</summary>
    public Func<Exception>? After { get; set; }

    public int Calls;

    public static void Add(IServiceCollection services)
    {
        var transport = services.Last(s => s.ServiceType == typeof(MessagePublisher) && s.IsKeyedService && Equals(s.ServiceKey, Inspected));
        services.Remove(transport);
        services.AddKeyedSingleton<MessagePublisher>(Inspected, (provider, key) => new FaultyPublisher((MessagePublisher)transport.KeyedImplementationFactory!(provider, key)));
    }

    public static FaultyPublisher Of(QueryHost host) => (FaultyPublisher)host.App.Services.GetRequiredKeyedService<MessagePublisher>(Inspected);

    public override async ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(
        ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Calls);
        if (Before is not null)
            throw Before();
        var outcomes = await inner.PublishAsync(messages, claims, cancellationToken);
        return After is null ? outcomes : throw After();
    }

    public override ValueTask DisposeAsync() => inner.DisposeAsync();
}
