namespace PaymentPlatform.Metrics.Clusters;

/// <summary>A sample that changed since its clusters were computed.</summary>
/// <param name="WindowStart">Microseconds since the Unix epoch, as is <paramref name="UpdatedAt"/>.</param>
/// <param name="Payload">A <see cref="Deltas.ClusterSample"/>.</param>
internal readonly record struct ChangedSample(long WindowStart, long UpdatedAt, byte[] Payload);
