using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>
/// The rules at work in one loop: one version at a time over all its partitions, and each partition's state, which is that of its checkpoint plus the events since.
/// A version changes between two batches only. Not thread-safe.
/// </summary>
internal sealed class PartitionRules(Npgsql.NpgsqlDataSource database, RuleCatalog catalog, CardDataMode cardData) : IDisposable
{
    /// <summary>A snapshot is due after so many changes, or once they are larger than it and this together: loading a state reads both.</summary>
    private const int MaxChanges = 1_000;
    private const long MinBytes = 1 << 20;

    private readonly Dictionary<StreamPartition, Owned> _owned = [];
    private readonly RuleStateCodec _codec = new();
    private ActiveRules _rules = catalog.Current;
    private RuleEvaluator _evaluator = new(catalog.Current.RuleSet, cardData);

    /// <summary>Whether there is a version that this loop does not work with yet: end the batch, then <see cref="TakeNewest"/>.</summary>
    public bool IsOutdated => catalog.Current.Version > _rules.Version;

    /// <summary>Keys that stateful rules remember.</summary>
    public long StateKeys => _owned.Values.Sum(o => (long)o.State.KeyCount);

    /// <summary>Restores the partition's state. Whatever was held for it is void.</summary>
    /// <returns>False when another owner has moved on meanwhile: ask for the partition again.</returns>
    /// <exception cref="InvalidDataException">What is kept is damaged, or of rules that this process can't read. The message says what to do.</exception>
    public async ValueTask<bool> AssignAsync(StreamPartition partition, long offset, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var active = (await RuleVersionStore.FindActivationAsync(connection, partition, offset, cancellationToken))?.Version ?? 0;
        // Another process took a version that this one has not seen yet: no event may fall back behind it.
        if (active > catalog.Current.Version)
            await catalog.RefreshAsync(cancellationToken);
        // Under the newest, which the loop takes before it evaluates anything more: rules that the loop's own version lacks have a state already.
        var newest = catalog.Current;
        if (active > newest.Version)
            throw new InvalidDataException(
                $"Partition {partition} works with version {active} of the rules, which this process can't read, and no event may fall back behind it. Run the release that it was put in with, or put rules in that this one reads.");
        if (await RuleStateStore.LoadAsync(connection, partition, offset, newest.RuleSet, cancellationToken) is not { } stored)
            return false;
        _owned[partition] = new(stored, active);
        return true;
    }

    public void Forget(StreamPartition partition) => _owned.Remove(partition);

    public void ForgetAll() => _owned.Clear();

    /// <summary>Goes over to the newest version; nothing that was evaluated before may be in the same batch as what follows. States of rules that mean the same go on.</summary>
    public void TakeNewest()
    {
        _rules = catalog.Current;
        _evaluator = new(_rules.RuleSet, cardData);
        foreach (var owned in _owned.Values)
            owned.State = owned.State.Continue(_rules.RuleSet);
    }

    public void Evaluate(StreamPartition partition, ParseResult result, long offset, long enqueuedAtMicros, RuleOutput output) =>
        _evaluator.Evaluate(_owned[partition].State, result, offset, enqueuedAtMicros, output);

    /// <summary>What is to be committed with these ranges: changed states, and the version for partitions that it is new to.</summary>
    public (List<RuleStateChange> States, List<RuleActivation> Activations) Cut(IEnumerable<OffsetRange> ranges)
    {
        var states = new List<RuleStateChange>();
        var activations = new List<RuleActivation>();
        foreach (var range in ranges)
        {
            // Nothing of it; or it was given up meanwhile, and then so is the batch.
            if (range.From == range.To || !_owned.TryGetValue(range.Partition, out var owned))
                continue;
            if (owned.Version != _rules.Version)
                activations.Add(new(_rules.Version, range.Partition, range.From));
            owned.Version = _rules.Version;
            var isSnapshot = owned.Changes >= MaxChanges || owned.ChangedBytes >= MinBytes + owned.SnapshotBytes;
            var payload = _codec.Pack(isSnapshot ? owned.State.WriteSnapshot : owned.State.WriteChanges);
            owned.Count(payload.Length, isSnapshot);
            states.Add(new(range.Partition, range.To, payload, isSnapshot));
        }

        return (states, activations);
    }

    public void Dispose() => _codec.Dispose();

    private sealed class Owned(StoredRuleState stored, long version)
    {
        public PartitionRuleState State { get; set; } = stored.State;

        /// <summary>The last version that events of the partition were committed under; 0 for none.</summary>
        public long Version { get; set; } = version;

        /// <summary>In the database since the last snapshot, whoever wrote them.</summary>
        public int Changes { get; private set; } = stored.Changes;

        public long ChangedBytes { get; private set; } = stored.ChangedBytes;

        public long SnapshotBytes { get; private set; } = stored.SnapshotBytes;

        public void Count(int bytes, bool isSnapshot)
        {
            if (isSnapshot)
                (Changes, ChangedBytes, SnapshotBytes) = (0, 0, bytes);
            else
                (Changes, ChangedBytes) = (Changes + 1, ChangedBytes + bytes);
        }
    }
}
