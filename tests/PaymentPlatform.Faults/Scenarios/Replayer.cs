using PaymentPlatform.Faults.Instances;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Orders a replay as soon as there is enough to replay, while there are faults. By itself: a clerk may wait for an answer all the while.</summary>
internal sealed class Replayer(RunPlace place, DeskClient desk, DeskOrders orders, int number)
{
    /// <summary>Appends that a replay is worth waiting for: between fewer there is little room for a fault.</summary>
    private const int LeastChunks = 4;

    /// <summary>Until one is answered.</summary>
    private const int MostOrders = 3;

    /// <summary>A replay at a rate lasts so long at most: a query service that overtakes it, or a fault, comes between.</summary>
    private const int MostSeconds = 2;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly Random _random = place.Scenario.RandomFor($"replayer/{number}");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var isOvertaken = _random.Next(2) == 0;
        for (var made = 0; place.IsDisturbed && made < MostOrders; await Task.Delay(LookEvery, cancellationToken))
        {
            var events = (await place.QueryAsync("SELECT coalesce(sum(valid_count), 0)::bigint FROM raw_event_files WHERE state = 'live'", r => r.GetInt64(0), cancellationToken))[0];
            if (events < LeastChunks * place.Scenario.ReplayChunk)
                continue;
            var target = $"replayed-{number}-{++made}";
            if (!await desk.ReplayAsync(orders, target, place.Scenario.Events / MostSeconds, _random, cancellationToken))
                continue;
            if (isOvertaken)
                await OvertakeAsync(target, cancellationToken);
            return;
        }
    }

    /// <summary>The lease of a replay that is under way is over, as if its process had stood still for longer: another begins behind the note of a second ago, and both append until the first finds out.</summary>
    private async Task OvertakeAsync(string target, CancellationToken cancellationToken)
    {
        for (; place.IsDisturbed; await Task.Delay(LookEvery, cancellationToken))
        {
            var overtaken = await place.QueryAsync(
                $"""
                UPDATE replays SET lease_until = clock_timestamp() WHERE target = '{target}' AND state = 'running'
                  AND EXISTS (SELECT FROM stream_partitions p JOIN stream_logs l USING (log_id) WHERE l.stream = target AND p.next_offset > 0)
                RETURNING id
                """, r => r.GetGuid(0), cancellationToken);
            if (overtaken.Count == 0)
                continue;
            place.Tally.Add(FaultKind.ReplayOvertaken);
            return;
        }
    }
}
