namespace PaymentPlatform.Query.Reconciliation;

/// <summary>Spans of time that can't be compared, merged.</summary>
internal sealed class TimeSpans
{
    private readonly List<(long First, long Last)> _spans = [];

    /// <param name="first">Microseconds since the Unix epoch.</param>
    /// <param name="last">Inclusive.</param>
    public void Add(long first, long last)
    {
        var overlapping = _spans.FindAll(s => s.First <= last && s.Last >= first);
        _spans.RemoveAll(overlapping.Contains);
        _spans.Add((overlapping.Select(s => s.First).Append(first).Min(), overlapping.Select(s => s.Last).Append(last).Max()));
    }

    /// <param name="to">Exclusive.</param>
    public bool Touches(long from, long to) => _spans.Exists(s => s.First < to && s.Last >= from);
}
