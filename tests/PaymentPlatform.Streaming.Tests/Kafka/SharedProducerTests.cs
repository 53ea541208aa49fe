using System.Reflection;
using Confluent.Kafka;
using PaymentPlatform.Streaming.Kafka;

namespace PaymentPlatform.Streaming.Tests.Kafka;

public sealed class SharedProducerTests
{
    [Fact]
    public async Task Retire_WhileInUse_DisposesOfItWithTheLastUser()
    {
        var handle = DispatchProxy.Create<IProducer<byte[], byte[]>, CallLog>();
        var calls = ((CallLog)(object)handle).Calls;
        var producer = new SharedProducer(handle);
        producer.Acquire();
        producer.Acquire();

        var retired = producer.RetireAsync();
        producer.Release();
        Assert.Empty(calls);
        Assert.False(retired.IsCompleted);

        producer.Release();
        await retired;
        await producer.RetireAsync();
        Assert.Equal(["Dispose"], calls);
    }

    // The proxy derives from it.
    public class CallLog : DispatchProxy
    {
        public List<string> Calls { get; } = [];

        protected override object? Invoke(MethodInfo? method, object?[]? arguments)
        {
            Calls.Add(method!.Name);
            return null;
        }
    }
}
