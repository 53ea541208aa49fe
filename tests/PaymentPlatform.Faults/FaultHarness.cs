using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Report;
using PaymentPlatform.Faults.Scenarios;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Faults;

/// <summary>Runs seeds over one PostgreSQL and one blob store, each with a database and a container of its own.</summary>
public static class FaultHarness
{
    /// <summary>After so many runs nothing is under way for a moment, and the memory is looked at.</summary>
    private const int RunsBetweenLooks = 25;

    /// <param name="fixture">Has started.</param>
    /// <param name="ended">Told of each run when it has ended; from one thread at a time.</param>
    public static async Task<FaultBatch> RunAsync(PlatformFixture fixture, FaultOptions options, Action<RunResult> ended, CancellationToken cancellationToken)
    {
        var results = new List<RunResult>();
        var memory = new List<MemoryLook>();
        foreach (var seeds in Enumerable.Range(options.Seed, options.Runs).Chunk(RunsBetweenLooks))
        {
            await Parallel.ForEachAsync(
                seeds, new ParallelOptions { MaxDegreeOfParallelism = options.Parallel, CancellationToken = cancellationToken },
                async (seed, _) =>
                {
                    var result = await RunAsync(fixture, Scenario.Of(seed, options.ModeOf(seed), restarts: options.Parallel == 1), options.Keep);
                    lock (results)
                    {
                        // What was kept of a thousand runs would be a leak of our own.
                        results.Add(result.Failure is null ? result with { Log = [] } : result);
                        ended(result);
                    }
                });
            memory.Add(MemoryLook.Now());
        }

        return new(results, memory);
    }

    private static async Task<RunResult> RunAsync(PlatformFixture fixture, Scenario scenario, bool keep)
    {
        var database = await fixture.CreateDatabaseAsync();
        var place = new RunPlace(scenario, new FaultTally(), database, fixture.BlobConnectionString, $"faults-{Guid.NewGuid():N}");
        var result = await new FaultRun(place).RunAsync();
        await place.Database.DisposeAsync();
        if (Directory.Exists(place.Folder))
            Directory.Delete(place.Folder, recursive: true);
        if (result.Failure is null || !keep)
        {
            await place.Blobs.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
            await fixture.DropDatabaseAsync(database);
        }

        return result;
    }
}
