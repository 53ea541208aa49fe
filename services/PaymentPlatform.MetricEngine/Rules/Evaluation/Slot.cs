namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What was found at a path: where its text stands, and how many elements an array has.</summary>
internal struct Slot
{
    public SlotKind Kind;
    public bool InScratch;
    public int Start;
    public int Length;
    public int Count;
}
