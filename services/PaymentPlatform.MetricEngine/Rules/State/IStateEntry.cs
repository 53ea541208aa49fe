using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What is kept of a key.</summary>
internal interface IStateEntry
{
    /// <summary>Time of its newest event that counts; microseconds since the Unix epoch.</summary>
    long Newest { get; }

    /// <summary>Back to nothing; memory may be kept.</summary>
    void Reset();

    void Write(IBufferWriter<byte> output);

    void Read(ref BlobReader reader);
}
