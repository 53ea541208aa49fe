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

    /// <summary>A file that can't be read may have events of several days.</summary>
    [Fact]
    public void Take_PartsThatLeftOutTheSame_ListsItOnce()
    {
        var request = new ReconciliationRequest { From = 0, To = 0, Depth = ReconciliationDepth.Listing };
        var (run, first, second) = (new ReconciliationRun(request, null), new ReconciliationRun(request, null), new ReconciliationRun(request, null));
        first.Skip("figures", "file", "It is damaged.");
        second.Skip("figures", "file", "It is damaged.");
        second.Skip("figures", "other", "It is damaged.");
        run.Take(first);
        run.Take(second);
        Assert.Equal(["file", "other"], run.Report(new Dictionary<Guid, string>(), TimeSpan.Zero).Skipped.Select(s => s.Subject));
    }

    private sealed class Lines : List<string>, IProgress<string>
    {
        public void Report(string value) => Add(value);
    }
}
