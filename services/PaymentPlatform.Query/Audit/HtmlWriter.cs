using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace PaymentPlatform.Query.Audit;

/// <summary>Writes HTML: markup of our own, and texts that may come from anybody.</summary>
internal sealed class HtmlWriter(IBufferWriter<byte> output)
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);

    /// <param name="html">Our own.</param>
    public HtmlWriter Markup(string html)
    {
        Encoding.UTF8.GetBytes(html, output);
        return this;
    }

    /// <summary>Anything, as text. What can't be seen, or changes how its neighbours are seen (controls, marks of direction), is shown as <c>\u{…}</c>: a page that is evidence must not read otherwise than it is.</summary>
    /// <param name="lines">Line ends and tabs stay, for where they are shown.</param>
    public HtmlWriter Text(string? text, bool lines = false)
    {
        var visible = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (IsVisible(rune) || (lines && rune.Value is '\n' or '\t'))
                visible.Append(rune.ToString());
            else
                visible.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}");
        }

        return Markup(s_encoder.Encode(visible.ToString()));
    }

    private static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
