using System.Buffers;
using System.Text;

namespace PaymentPlatform.Events;

/// <summary>What a readable value must fulfil to be taken into the transaction.</summary>
internal sealed class FieldRules(ParsedTransaction transaction, ErrorReport errors, TransactionParserOptions options)
{
    public const string ExpectedAmount = "a number or a numeric string";

    private readonly long _allowedSkewMicros = options.AllowedClockSkew.Ticks / TimeSpan.TicksPerMicrosecond;

    public long EnqueuedAtMicros { get; set; }

    /// <param name="field">Any text field.</param>
    /// <param name="spelling">Its name as the sender wrote it.</param>
    /// <param name="text">Unescaped, valid UTF-8.</param>
    public void Take(Field field, string spelling, Utf8Text text)
    {
        switch (field)
        {
            case Field.TransactionTimestamp:
                TakeTimestamp(spelling, text.Span);
                return;
            case Field.Currency when !Currencies.IsActive(text.Span):
                ReportCurrency(spelling, text.Span);
                return;
            case Field.PaymentStatus when PaymentStatuses.IsSuccess(text.Span):
                text = PaymentStatuses.Completed;
                break;
            case Field.PaymentStatus when !PaymentStatuses.IsKnown(text.Span):
                errors.Add(spelling, Constraints.Status, PaymentStatuses.Expected, errors.Quote(text.Span), $"{spelling} is none of the known statuses (in lower case).");
                return;
        }

        if (text.Length > FieldSchema.MaxBytes(field))
            errors.TooLong(spelling, FieldSchema.MaxBytes(field), text.Length);
        else
            transaction.Set(field, text);
    }

    /// <param name="text">A number's token or a string's content.</param>
    public void TakeAmount(ReadOnlySpan<byte> text)
    {
        var outcome = DecimalAmount.Read(text, out var scaled, out var negative);
        if (outcome == AmountOutcome.NotANumber)
        {
            errors.Add("amount", Constraints.Type, ExpectedAmount, errors.Quote(text), "amount is a string that is not written as a JSON number.");
            return;
        }

        if (outcome == AmountOutcome.Exact)
            transaction.AmountScaled = scaled;
        else
            errors.Add("amount", Constraints.AmountRange, "at most 15 integer digits and 4 decimals", errors.Quote(text), "amount does not fit decimal(19,4).");
        if (negative || (outcome == AmountOutcome.Exact && scaled == 0))
            errors.Add("amount", Constraints.AmountPositive, "more than 0", errors.Quote(text), "amount must be more than 0.");
    }

    private void TakeTimestamp(string spelling, ReadOnlySpan<byte> text)
    {
        if (!Iso8601.TryParse(text, out var micros))
        {
            errors.Add(spelling, Constraints.Timestamp, "ISO 8601, e.g. 2025-12-08T12:42:14.123Z", errors.Quote(text), $"{spelling} is not a date and time that exists, written as ISO 8601.");
            return;
        }

        transaction.TransactionTimestampMicros = micros;
        if (micros - _allowedSkewMicros > EnqueuedAtMicros)
        {
            errors.Add(spelling, Constraints.TimestampFuture, $"at most {options.AllowedClockSkew.TotalSeconds:0.###} s after the event arrived", errors.Quote(text),
                $"{spelling} lies further in the future than the allowed clock skew.");
        }
    }

    private void ReportCurrency(string spelling, ReadOnlySpan<byte> text)
    {
        Span<byte> upper = stackalloc byte[3];
        var wrongCase = text.Length == 3 && Ascii.ToUpper(text, upper, out _) == OperationStatus.Done && Currencies.IsActive(upper);
        errors.Add(spelling, Constraints.Currency, "an active ISO 4217 code, e.g. EUR", errors.Quote(text),
            wrongCase ? $"{spelling} must be written in upper case." : $"{spelling} is not an active ISO 4217 code.");
    }
}
