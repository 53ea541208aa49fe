using System.Text.Json;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Replay;

/// <summary>A row of <c>replays</c> that this process has begun to work on.</summary>
/// <param name="Attempt">Counts up with each beginning: who finds another number has been overtaken.</param>
/// <param name="Faults">In a row, before this attempt.</param>
/// <param name="From">Of transaction time, microseconds since the Unix epoch, inclusive.</param>
/// <param name="To">Exclusive.</param>
/// <param name="ArrivedBefore">All of its events did, microseconds since the Unix epoch.</param>
/// <param name="SkipsOversized">Leaves out what is too large for the target; else the replay fails there.</param>
/// <param name="Archived">For each partition the offset before which the replay's events lie.</param>
internal sealed record ReplayJob(
    Guid Id, int Attempt, int Faults, long From, long To, JsonElement Filter, string Target, double? Rate, int ChunkEvents, long ArrivedBefore, ReplayPosition Position, bool SkipsOversized, IReadOnlyDictionary<StreamPartition, long> Archived)
{
    /// <summary>Whether this attempt began before the position, that is, got on by the time it reached it: events that are left out are passed as well as those that are published.</summary>
    /// <param name="position">A later one of the same replay, or the one that the attempt began at.</param>
    public bool IsBefore(ReplayPosition position) => position.EventsPassed > Position.EventsPassed;
}
