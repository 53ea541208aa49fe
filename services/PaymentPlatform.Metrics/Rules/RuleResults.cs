using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>What rules gave for the events of a batch, with the partition of each hit. Used again once it is cleared.</summary>
internal sealed class RuleResults
{
    private readonly List<(int FirstHit, StreamPartition Partition)> _partitions = [];

    public RuleOutput Output { get; } = new();

    /// <summary>The results that follow are of this partition's events.</summary>
    public void Begin(StreamPartition partition)
    {
        if (_partitions.Count == 0 || _partitions[^1].Partition != partition)
            _partitions.Add((Output.Hits.Count, partition));
    }

    public IEnumerable<PositionedHit> Hits()
    {
        for (var i = 0; i < _partitions.Count; i++)
        {
            var end = i + 1 < _partitions.Count ? _partitions[i + 1].FirstHit : Output.Hits.Count;
            for (var hit = _partitions[i].FirstHit; hit < end; hit++)
                yield return new(_partitions[i].Partition, Output.Hits[hit]);
        }
    }

    public void Clear()
    {
        _partitions.Clear();
        Output.Clear();
    }
}
