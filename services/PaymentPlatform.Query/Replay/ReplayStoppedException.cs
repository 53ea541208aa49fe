namespace PaymentPlatform.Query.Replay;

/// <summary>The replay was stopped, or another process has taken it over.</summary>
internal sealed class ReplayStoppedException() : Exception("The replay was stopped.");
