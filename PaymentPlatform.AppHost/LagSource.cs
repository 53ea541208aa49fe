using Aspire.Hosting.Azure;

namespace PaymentPlatform.AppHost;

/// <summary>Where the lag is read for scaling, and as whom.</summary>
internal sealed record LagSource(IResourceBuilder<AzurePostgresFlexibleServerResource> Server, IResourceBuilder<ParameterResource> User, IResourceBuilder<ParameterResource> Password)
{
    /// <summary>One number: the unread events of a group, in all partitions.</summary>
    public static string Query(string group) => $"SELECT coalesce(sum(lag), 0)::float8 FROM stream_lag WHERE consumer_group = '{group}' AND stream = '{PlatformNames.Stream}'";
}
