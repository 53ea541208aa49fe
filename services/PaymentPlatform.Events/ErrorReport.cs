using System.Text.Json;

namespace PaymentPlatform.Events;

/// <summary>Writes the errors of one event. What it quotes is shortened, and free of card data unless that is allowed.</summary>
internal sealed class ErrorReport(List<ValidationError> errors, bool hideCardData)
{
    private const int MaxQuoted = 64;

    public void Add(string field, string constraint, string expected, string? actual, string message) =>
        errors.Add(new ValidationError(field, constraint, expected, actual, message));

    /// <summary>An error of the whole makes the others meaningless.</summary>
    public void Replace(string constraint, string expected, string? actual, string message)
    {
        errors.Clear();
        Add("", constraint, expected, actual, message);
    }

    public void Missing(string field, string? actual)
    {
        var also = field switch { "transaction_timestamp" => " (or timestamp)", "payment_status" => " (or status)", _ => "" };
        Add(field, Constraints.Required, "a value", actual, $"{field}{(actual is null ? also : "")} is required{(actual is null ? "" : $", but is {actual}")}.");
    }

    public void WrongType(string field, string expected, JsonTokenType actual)
    {
        var found = actual switch
        {
            JsonTokenType.String => "a string",
            JsonTokenType.Number => "a number",
            JsonTokenType.True or JsonTokenType.False => "a boolean",
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            _ => "null",
        };
        Add(field, Constraints.Type, expected, found, $"{field} must be {expected}, but is {found}.");
    }

    public void Duplicate(string field, string first) =>
        Add(field, Constraints.Duplicate, "each field once", null, field == first ? $"{field} is given more than once." : $"{field} and {first} are the same field: give one of them.");

    public void TooLong(string field, int max, int actual) =>
        Add(field, Constraints.Size, $"at most {max} bytes", $"{actual} bytes", $"{field} has {actual} bytes of UTF-8, and may have {max}.");

    public void CardData(Finding finding)
    {
        var (expected, what) = finding.Kind == FindingKind.Secret
            ? ("no card verification value, track or PIN data", "holds card verification, track or PIN data")
            : ("no full card number", "holds a full card number");
        Add(finding.Path, Constraints.CardData, expected, null, $"{Name(finding)} {what}: remove it, or send the last four digits only.");
    }

    public void Encoding(Finding finding)
    {
        var what = finding.Kind switch
        {
            FindingKind.InvalidUtf8 => "bytes that are not UTF-8",
            FindingKind.Nul => "the character U+0000, which can't be stored",
            _ => "half of a UTF-16 surrogate pair",
        };
        Add(finding.Path, Constraints.Encoding, "valid Unicode text", null, $"{Name(finding)} contains {what}.");
    }

    /// <summary>A value for an error: shortened, and without card numbers.</summary>
    public string Quote(ReadOnlySpan<byte> text)
    {
        if (hideCardData)
            text = NumberTokens.IsScaledCardNumber(text) ? NumberTokens.Mask(text) : TextMasker.MaskString(text) ?? text;
        var quoted = System.Text.Encoding.UTF8.GetString(text[..Math.Min(text.Length, MaxQuoted)]);
        return text.Length <= MaxQuoted ? quoted : quoted.TrimEnd('\uFFFD') + "…";
    }

    private static string Name(Finding finding) => finding.Path.Length > 0 ? finding.Path : "The event";
}
