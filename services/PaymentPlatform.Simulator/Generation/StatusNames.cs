namespace PaymentPlatform.Simulator;

/// <summary>The statuses that the generator itself reacts to: the same objects everywhere, so that comparing costs nothing.</summary>
internal static class StatusNames
{
    public static readonly byte[] Completed = "completed"u8.ToArray();
    public static readonly byte[] Pending = "pending"u8.ToArray();
    public static readonly byte[] Refunded = "refunded"u8.ToArray();
    public static readonly byte[] Declined = "declined"u8.ToArray();

    public static byte[] Of(string name) => name switch
    {
        "completed" => Completed,
        "pending" => Pending,
        "refunded" => Refunded,
        "declined" => Declined,
        _ => System.Text.Encoding.UTF8.GetBytes(name),
    };
}
