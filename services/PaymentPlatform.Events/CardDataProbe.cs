namespace PaymentPlatform.Events;

/// <summary>Looks for full card numbers outside of a parse: where they are allowed, the parser doesn't.</summary>
public static class CardDataProbe
{
    private const int MaxDepth = 1_000;

    /// <summary>Whether a field other than a top-level identifier holds a full card number.</summary>
    /// <param name="document">A well-formed event, with or without a byte order mark.</param>
    public static bool HoldsCardNumber(ReadOnlySpan<byte> document)
    {
        if (!CardNumbers.Contains(document))
            return false;
        var inspector = new PayloadInspector(MaxDepth);
        inspector.Inspect(document.StartsWith("\uFEFF"u8) ? document[3..] : document);
        return inspector.CardData.Exists(finding => finding.Kind == FindingKind.CardNumber);
    }
}
