using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Numbers the texts that rules compare one field with, so that comparing is comparing numbers.</summary>
internal sealed class LiteralTable
{
    /// <summary>The event's text is none of them.</summary>
    public const int Other = -1;

    private (byte[] Text, int Id)[][] _byLength = [];

    public int Count { get; private set; }

    public int Add(string literal)
    {
        var text = Encoding.UTF8.GetBytes(literal);
        if (IdOf(text) is var known and not Other)
            return known;
        while (_byLength.Length <= text.Length)
            _byLength = [.. _byLength, []];
        _byLength[text.Length] = [.. _byLength[text.Length], (text, Count)];
        return Count++;
    }

    public int IdOf(ReadOnlySpan<byte> text)
    {
        if (text.Length >= _byLength.Length)
            return Other;
        foreach (var (candidate, id) in _byLength[text.Length])
        {
            if (text.SequenceEqual(candidate))
                return id;
        }

        return Other;
    }
}
