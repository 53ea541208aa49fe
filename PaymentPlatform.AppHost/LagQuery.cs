namespace PaymentPlatform.AppHost;

/// <summary>What KEDA asks the database.</summary>
internal static class LagQuery
{
    /// <summary>One number: the unread events of a group, in all partitions.</summary>
    public static string Of(string group) => $"SELECT coalesce(sum(lag), 0)::float8 FROM stream_lag WHERE consumer_group = '{group}' AND stream = '{PlatformNames.Stream}'";
}
