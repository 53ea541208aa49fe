namespace PaymentPlatform.Bench.Parse;

internal static class ParseCommand
{
    public static Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments) => Task.FromResult<IReadOnlyList<BenchmarkRow>>([]);
}
