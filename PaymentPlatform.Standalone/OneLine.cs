namespace PaymentPlatform.Standalone;

/// <summary>Text for the person at the keyboard.</summary>
internal static class OneLine
{
    public static string Of(string text) => string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
