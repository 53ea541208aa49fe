using System.Globalization;
using System.Text;

namespace PaymentPlatform.Events;

/// <summary>Where a reader is in a document: <c>metadata.cards[2].note</c>. Steps are kept as positions and become text only when asked for.</summary>
internal sealed class JsonPath(int maxDepth)
{
    private const int MaxLength = 200;

    private readonly Step[] _steps = new Step[maxDepth + 2];

    /// <param name="depth">The depth inside the container, 1 for the root.</param>
    /// <param name="isArray">Whether it counts its values or names them.</param>
    public void Enter(int depth, bool isArray) => _steps[depth] = new Step(isArray, -1, 0, 0);

    public void Name(int depth, int start, int length) => _steps[depth] = new Step(false, -1, start, length);

    /// <summary>The next value of the container begins.</summary>
    public void Value(int depth)
    {
        if (depth > 0 && _steps[depth].IsArray)
            _steps[depth] = _steps[depth] with { Index = _steps[depth].Index + 1 };
    }

    public string ToString(int depth, ReadOnlySpan<byte> document)
    {
        var text = new StringBuilder();
        for (var i = 1; i <= depth && text.Length <= MaxLength; i++)
        {
            var step = _steps[i];
            if (step.IsArray)
            {
                text.Append(CultureInfo.InvariantCulture, $"[{step.Index}]");
                continue;
            }

            var name = document.Slice(step.Start, step.Length);
            text.Append(i > 1 ? "." : "").Append(Encoding.UTF8.GetString(TextMasker.MaskString(name) ?? name));
        }

        return text.Length <= MaxLength ? text.ToString() : text.ToString(0, MaxLength) + "…";
    }

    private readonly record struct Step(bool IsArray, int Index, int Start, int Length);
}
