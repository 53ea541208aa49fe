namespace PaymentPlatform.Standalone.Run;

/// <summary>What a process can take on; the names are those of <c>--services</c>.</summary>
internal enum PlatformService
{
    Ingest,
    Archiver,
    Metrics,
    Query,
    Simulator,
}
