namespace PaymentPlatform.Standalone.Reconcile;

/// <summary>Progress as lines on stderr: stdout is the report's. System.Progress would report later and out of order.</summary>
internal sealed class ErrorLines : IProgress<string>
{
    public void Report(string value) => Console.Error.WriteLine(value);
}
