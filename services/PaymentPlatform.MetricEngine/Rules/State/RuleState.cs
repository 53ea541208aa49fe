using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// The keys of one stateful rule in one partition. A key lives as long as one of its events could still matter: event time is cut into slots of a sixtieth of (within + allowed lateness), and a key whose newest event
/// lies in a slot before the horizon is as good as absent, whether it was removed already or not. So it makes no difference when memory is freed, or a snapshot taken.
/// The horizon follows the partition's newest event; where a rule has more keys than it may, it moves on by the oldest slots.
/// </summary>
internal abstract class RuleState
{
    private const int SlotsOfLife = 60;
    private const int Ring = 128;

    /// <summary>Of a horizon: far beyond any date, and far from where sums overflow.</summary>
    private const long MostMicros = long.MaxValue / 4;

    private readonly int[] _counts = new int[Ring];
    private readonly long _slotWidth;
    private readonly long _life;
    private long _horizon = long.MinValue;

    // The same in microseconds, and the first newest event that moves it on.
    private long _horizonMicros = long.MinValue;
    private long _advanceFrom = long.MinValue;

    protected RuleState(RuleDefinition rule)
    {
        Rule = rule;
        _life = rule.WithinMicros + rule.LatenessMicros;
        _slotWidth = Math.Max(1, _life / SlotsOfLife);
    }

    public RuleDefinition Rule { get; }

    /// <summary>Keys that still matter.</summary>
    public int Alive { get; private set; }

    /// <summary>Keys that were let go before their time because there were too many.</summary>
    public long Forgotten { get; private set; }

    /// <summary>Keys in memory.</summary>
    public abstract int Held { get; }

    public abstract void WriteBody(IBufferWriter<byte> output, bool touchedOnly);

    /// <summary>Takes in what <see cref="WriteBody"/> wrote: each key replaces what was known of it.</summary>
    public abstract void ReadBody(ReadOnlySpan<byte> body);

    public abstract void Clear();

    public abstract void Sweep();

    protected bool IsAlive(long newestOfKey) => newestOfKey >= _horizonMicros;

    /// <summary>Call before anything is looked up for an event.</summary>
    protected void Advance(long newestOfPartition)
    {
        if (newestOfPartition >= _advanceFrom)
            MoveHorizon(SlotOf(newestOfPartition - _life));
    }

    protected void Arrive(long newest)
    {
        _counts[Place(SlotOf(newest))]++;
        Alive++;
    }

    protected void Leave(long newest)
    {
        _counts[Place(SlotOf(newest))]--;
        Alive--;
    }

    /// <summary>Call after a key was added.</summary>
    protected void KeepWithinLimit()
    {
        while (Alive > Rule.MaxKeys)
        {
            Forgotten += _counts[Place(_horizon)];
            MoveHorizon(_horizon + 1);
        }
    }

    protected void ClearCounts()
    {
        Array.Clear(_counts);
        (Alive, _horizon, _horizonMicros, _advanceFrom) = (0, long.MinValue, long.MinValue, long.MinValue);
    }

    protected void WriteHorizon(IBufferWriter<byte> output) => output.WriteSigned(_horizon);

    protected void ReadHorizon(ref BlobReader reader)
    {
        var horizon = reader.ReadSigned();
        if (horizon == long.MinValue)
            return;
        if (Int128.Abs((Int128)horizon * _slotWidth) > MostMicros)
            throw BlobReader.Broken();
        MoveHorizon(horizon);
    }

    private static int Place(long slot) => (int)(slot & (Ring - 1));

    private long SlotOf(long micros)
    {
        var slot = micros / _slotWidth;
        return slot * _slotWidth > micros ? slot - 1 : slot;
    }

    private void MoveHorizon(long horizon)
    {
        if (horizon <= _horizon)
            return;
        if (_horizon == long.MinValue || horizon - _horizon >= Ring)
        {
            Array.Clear(_counts);
            Alive = 0;
        }
        else
        {
            for (var slot = _horizon; slot < horizon; slot++)
            {
                Alive -= _counts[Place(slot)];
                _counts[Place(slot)] = 0;
            }
        }

        _horizon = horizon;
        _horizonMicros = horizon * _slotWidth;
        _advanceFrom = _horizonMicros + _slotWidth + _life;
    }
}
