namespace PaymentPlatform.Simulator;

/// <summary>Payments that another event may follow. Each is used once; after an hour of the events' time it is left alone.</summary>
internal sealed class PaymentBook(int least, int most)
{
    private const long ForgottenAfter = 3_600_000_000;

    private readonly Queue<Payment> _payments = new(most);

    public void Add(in Payment payment)
    {
        if (_payments.Count < most)
            _payments.Enqueue(payment);
    }

    /// <summary>The oldest one, as soon as there are enough for some time to have passed, and unless its customer is busy.</summary>
    public bool TryTake(CustomerBook customers, long micros, out Payment payment)
    {
        while (_payments.TryPeek(out payment) && micros - payment.Micros > ForgottenAfter)
            _payments.Dequeue();
        return _payments.Count > least && micros >= payment.Micros && customers.TryCount(payment.Customer, micros) && _payments.TryDequeue(out payment);
    }
}
