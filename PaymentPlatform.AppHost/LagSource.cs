using Aspire.Hosting.Azure;

namespace PaymentPlatform.AppHost;

/// <summary>Where the lag is read for scaling, and as whom.</summary>
internal sealed record LagSource(IResourceBuilder<AzurePostgresFlexibleServerResource> Server, IResourceBuilder<ParameterResource> User, IResourceBuilder<ParameterResource> Password);
