namespace PaymentPlatform.Faults.Model;

/// <summary>One event that the harness made, and what must become of it.</summary>
/// <param name="Number">Unique in its run, and part of its bytes, so that no two events have the same.</param>
/// <param name="Payload">As it is sent.</param>
/// <param name="Archived">As the archive and the dead letters have to hold it: the same bytes, but that a card number is masked.</param>
/// <param name="Key">Its partition key.</param>
/// <param name="Figures">What it counts for; null for an invalid one.</param>
/// <param name="IsRefusedAtDoor">It may come over the stream, but not through ingest.</param>
internal sealed record SentEvent(int Number, byte[] Payload, byte[] Archived, string Key, EventFigures? Figures, bool IsRefusedAtDoor)
{
    private int _fate = (int)EventFate.NotSent;

    public bool IsValid => Figures is not null;

    public EventFate Fate
    {
        get => (EventFate)Volatile.Read(ref _fate);
        set => Volatile.Write(ref _fate, (int)value);
    }

    /// <summary>Who sent it (0: nobody whose order counts), and as the how-many-th.</summary>
    public (int Sender, int Sequence) Order { get; set; }

    /// <summary>Events of one call that the stream takes all together or not at all; 0: alone.</summary>
    public int Call { get; set; }
}
