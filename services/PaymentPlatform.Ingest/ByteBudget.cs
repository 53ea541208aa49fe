namespace PaymentPlatform.Ingest;

/// <summary>
/// The bytes held by all requests together. It never waits: a new request without room is refused, and one in mid-body goes on
/// with the buffer it has. So no request ever holds room while it waits for more, and they can't block each other.
/// </summary>
internal sealed class ByteBudget(long capacity)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    public bool TryReserve(long bytes)
    {
        var used = Volatile.Read(ref _used);
        while (used + bytes <= capacity)
        {
            var seen = Interlocked.CompareExchange(ref _used, used + bytes, used);
            if (seen == used)
                return true;
            used = seen;
        }

        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref _used, -bytes);
}
