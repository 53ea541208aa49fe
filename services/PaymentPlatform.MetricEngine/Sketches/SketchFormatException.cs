namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>Bytes that should be a sketch or a delta are not: damaged, cut off, or of a newer version.</summary>
public sealed class SketchFormatException(string message) : Exception(message);
