using System.Globalization;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Report;

/// <summary>A line a run, and a summary.</summary>
public static class FaultReport
{
    public static string Line(RunResult run) => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {run.Seed} {Text(run.Mode)}: {run.Accepted} events, {Counts(run.Faults)}, {run.Elapsed.TotalSeconds:0.0} s, {run.WorkingSet >> 20} MB: {(run.Failure is null ? "OK" : $"BROKEN {run.Failure}\n  again with: ./platform faults --seed {run.Seed} --runs 1 --mode {Text(run.Mode)}{(run.MayRestart ? "" : " --parallel 2")}")}");

    public static string Summary(FaultBatch batch, TimeSpan elapsed)
    {
        var runs = batch.Runs;
        var totals = runs.SelectMany(r => r.Faults).GroupBy(f => f.Key).OrderBy(g => g.Key).ToDictionary(g => g.Key, g => g.Sum(f => f.Value));
        var reactions = runs.SelectMany(r => r.Reactions).GroupBy(r => r.Key).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key} {g.Sum(r => r.Value)}");
        var failed = runs.Where(r => r.Failure is not null).OrderBy(r => r.Seed).ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {runs.Count} runs in {elapsed.TotalSeconds:0} s, {runs.Sum(r => (long)r.Accepted)} events accepted, {totals.Values.Sum(v => (long)v)} faults, working set up to {(runs.Count == 0 ? 0 : runs.Max(r => r.WorkingSet)) >> 20} MB
            {string.Join("\n", totals.Select(t => $"  {t.Key,-24} {t.Value,8}"))}
            the platform's answers: {string.Join(", ", reactions)}
            heap between runs: {string.Join(", ", batch.Memory.Select(m => m.HeapBytes >> 20))} MB{(batch.IsMemoryBounded ? "" : $": BROKEN bounded memory: at most {FaultBatch.MaxHeapBytes >> 20} MB")}; working set: {string.Join(", ", batch.Memory.Select(m => m.WorkingSet >> 20))} MB
            {(failed.Count == 0 ? batch.IsMemoryBounded ? "every invariant kept" : "every run kept its invariants" : $"{failed.Count} runs broke an invariant: seeds {string.Join(", ", failed.Select(f => f.Seed))}")}
            """);
    }

    private static string Counts(IReadOnlyDictionary<FaultKind, int> faults) => faults.Count == 0 ? "no faults" : string.Join(' ', faults.Select(f => $"{f.Key}={f.Value}"));

    private static string Text(FaultMode mode) => mode == FaultMode.Safety ? "safety" : "liveness";
}
