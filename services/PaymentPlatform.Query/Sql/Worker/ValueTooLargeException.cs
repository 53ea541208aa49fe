namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>A value is beyond what any answer may take.</summary>
internal sealed class ValueTooLargeException : Exception;
