namespace PaymentPlatform.Ingest;

/// <summary>The sender closed the connection in mid-body: nobody is there to be answered.</summary>
internal sealed class ClientGoneException(Exception inner) : Exception("The sender closed the connection.", inner);
