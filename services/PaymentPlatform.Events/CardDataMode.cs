namespace PaymentPlatform.Events;

/// <summary>What to do with full card numbers and with CVV, track and PIN fields.</summary>
public enum CardDataMode
{
    /// <summary>An error of the field that holds it.</summary>
    Reject,

    /// <summary>Card numbers keep their first six and last four digits, secrets become null; the rest of the payload stays as it was.</summary>
    Mask,

    /// <summary>Not looked for.</summary>
    Allow,
}
