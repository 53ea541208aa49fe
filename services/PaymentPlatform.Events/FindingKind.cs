namespace PaymentPlatform.Events;

internal enum FindingKind
{
    CardNumber,
    Secret,
    InvalidUtf8,
    LoneSurrogate,
    Nul,
}
