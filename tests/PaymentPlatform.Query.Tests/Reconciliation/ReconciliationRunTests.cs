using PaymentPlatform.Query.Reconciliation;

namespace PaymentPlatform.Query.Tests.Reconciliation;

public sealed class ReconciliationRunTests
{
    [Fact]
    public void Say_SameAgain_IsSaidOnce()
    {
        var lines = new Lines();
        var run = new ReconciliationRun(new() { From = 0, To = 0, Depth = ReconciliationDepth.Listing }, lines);
        run.Say($"files: {1}");
        run.Say($"files: {1}");
        run.Say($"files: {2}");
        run.Say($"files: {1}");
        Assert.Equal(["files: 1", "files: 2", "files: 1"], lines);
    }

    private sealed class Lines : List<string>, IProgress<string>
    {
        public void Report(string value) => Add(value);
    }
}
