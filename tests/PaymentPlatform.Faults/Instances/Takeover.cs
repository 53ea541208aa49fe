using System.Diagnostics;

namespace PaymentPlatform.Faults.Instances;

/// <summary>What the others of a consumer group do while one of them is paused, as the database shows it.</summary>
internal sealed class Takeover(RunPlace place, string group)
{
    /// <summary>A little less than the paused instance's client waits for an answer (<c>Storage:CommandTimeout</c>): what it holds would not be sent after.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3.5);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Until a partition that has another owner now has moved on.</summary>
    /// <returns>False when that did not happen in time.</returns>
    public async Task<bool> CommitsAsync()
    {
        var before = (await ReadAsync()).ToDictionary(p => p.Partition);
        return await UntilAsync(async () => (await ReadAsync()).Exists(now => before.TryGetValue(now.Partition, out var then) && now.Owner != then.Owner && now.Next > then.Next));
    }

    /// <summary>Until somebody waits for a position that another session has locked.</summary>
    /// <inheritdoc cref="CommitsAsync"/>
    public Task<bool> WaitsAsync() => UntilAsync(async () => (await place.QueryAsync(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM stream_checkpoints c%FOR UPDATE%'", r => r.GetInt64(0), CancellationToken.None))[0] > 0);

    private static async Task<bool> UntilAsync(Func<Task<bool>> condition)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Longest; await Task.Delay(LookEvery))
        {
            if (await condition())
                return true;
        }

        return false;
    }

    private Task<List<(int Partition, string Owner, long Next)>> ReadAsync() => place.QueryAsync(
        $"SELECT partition_id, l.owner, c.next_offset FROM stream_leases l JOIN stream_checkpoints c USING (consumer_group, stream, partition_id) WHERE consumer_group = '{group}'",
        r => (r.GetInt32(0), r.GetString(1), r.GetInt64(2)), CancellationToken.None);
}
