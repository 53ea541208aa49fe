using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// What stateful rules know of one partition: a function of the partition's valid events in their order and of nothing else, however they were batched, and whenever it was written and read again.
/// Events that are older than the partition's newest by more than the file's <c>allowed_lateness</c> are left out of stateful rules. Not thread-safe.
/// Memory: for each rule at most <c>max_keys</c> × (bytes a key, see the rule's form) × 2.
/// </summary>
public sealed class PartitionRuleState
{
    private const byte FormatVersion = 1;
    private const int MaxKept = 256 << 10;

    private readonly RuleState[] _states;
    private ArrayBufferWriter<byte> _body = new();
    private long? _newest;

    /// <summary>Knows nothing yet.</summary>
    public PartitionRuleState(RuleSet rules)
        : this(rules, [.. rules.Rules.Where(r => r.IsStateful && r.Enabled).Select(Create)])
    {
    }

    private PartitionRuleState(RuleSet rules, RuleState[] states) => (RuleSet, _states) = (rules, states);

    public RuleSet RuleSet { get; }

    /// <summary>Time of the partition's newest valid event, microseconds since the Unix epoch; null before the first one.</summary>
    public long? NewestMicros => _newest;

    /// <summary>Keys that are remembered, of all rules.</summary>
    public int KeyCount => _states.Sum(s => s.Alive);

    /// <summary>Keys that were let go before their time since this object was made, because a rule had more than <c>max_keys</c>.</summary>
    public long ForgottenKeys => _states.Sum(s => s.Forgotten);

    /// <summary>Keys in memory, those included that don't matter any more.</summary>
    internal int HeldKeys => _states.Sum(s => s.Held);

    /// <summary>Restores a state.</summary>
    /// <param name="rules">Those that are active now. Rules that are the same as when it was written (by name, version and hash) go on, others start empty.</param>
    /// <param name="snapshot">What <see cref="WriteSnapshot"/> wrote; empty for none.</param>
    /// <param name="changes">What <see cref="WriteChanges"/> wrote since, in order.</param>
    /// <exception cref="InvalidDataException">The bytes are broken.</exception>
    public static PartitionRuleState Load(RuleSet rules, ReadOnlyMemory<byte> snapshot, IEnumerable<ReadOnlyMemory<byte>> changes)
    {
        var state = new PartitionRuleState(rules);
        foreach (var blob in changes.Prepend(snapshot).Where(blob => !blob.IsEmpty))
            state.Read(blob.Span);
        return state;
    }

    /// <summary>The same partition under another rule set: what is unchanged goes on. This object must not be used any more.</summary>
    public PartitionRuleState Continue(RuleSet rules)
    {
        var states = rules.Rules.Where(r => r.IsStateful && r.Enabled).Select(rule => _states.FirstOrDefault(s => IsSame(s.Rule, rule.Name, rule.Version, rule.Hash)) ?? Create(rule));
        return new(rules, [.. states]) { _newest = _newest };
    }

    /// <summary>Writes the keys that changed since the last call of this or of <see cref="WriteSnapshot"/>, each with all that is known of it.</summary>
    public void WriteChanges(IBufferWriter<byte> output) => Write(output, touchedOnly: true);

    /// <summary>Writes everything that still matters, and frees what does not.</summary>
    public void WriteSnapshot(IBufferWriter<byte> output) => Write(output, touchedOnly: false);

    /// <summary>Frees what does not matter any more; results stay the same.</summary>
    public void Sweep() => Array.ForEach(_states, s => s.Sweep());

    internal RuleState StateOf(RuleDefinition rule) => Array.Find(_states, s => s.Rule.Name == rule.Name)!;

    /// <returns>The partition's newest event.</returns>
    internal long Observe(long micros)
    {
        if (_newest is not { } newest || micros > newest)
            _newest = newest = micros;
        return newest;
    }

    private static RuleState Create(RuleDefinition rule) => rule switch
    {
        { Kind: RuleKind.Sliding, MetricType: MetricType.Sum } => new SlidingSumState(rule),
        { Kind: RuleKind.Sliding } => new SlidingCountState(rule),
        _ => new EarlierState(rule),
    };

    private static bool IsSame(RuleDefinition rule, string name, int version, string hash) => rule.Name == name && rule.Version == version && rule.Hash == hash;

    private void Write(IBufferWriter<byte> output, bool touchedOnly)
    {
        output.WriteByte(FormatVersion);
        output.WriteByte(_newest is null ? (byte)0 : (byte)1);
        output.WriteSigned(_newest ?? 0);
        foreach (var state in _states)
        {
            _body.ResetWrittenCount();
            state.WriteBody(_body, touchedOnly);
            output.WriteText(state.Rule.Name);
            output.WriteUnsigned((ulong)state.Rule.Version);
            output.WriteBytes(Convert.FromHexString(state.Rule.Hash));
            output.WriteBytes(_body.WrittenSpan);
        }

        // A snapshot takes megabytes, and is rare.
        if (_body.Capacity > MaxKept)
            _body = new();
    }

    private void Read(ReadOnlySpan<byte> blob)
    {
        var reader = new BlobReader(blob);
        if (reader.ReadByte() != FormatVersion)
            throw BlobReader.Broken();
        var isKnown = reader.ReadByte() != 0;
        var newest = reader.ReadSigned();
        _newest = isKnown ? newest : null;

        List<RuleState> missing = [.. _states];
        while (!reader.IsAtEnd)
        {
            var (name, version, hash) = (reader.ReadText(), reader.ReadInt(), Convert.ToHexStringLower(reader.ReadBytes()));
            var body = reader.ReadBytes();
            if (Array.Find(_states, s => IsSame(s.Rule, name, version, hash)) is not { } state)
                continue;
            state.ReadBody(body);
            missing.Remove(state);
        }

        // A rule that was not there when this was written saw none of its events.
        missing.ForEach(state => state.Clear());
    }
}
