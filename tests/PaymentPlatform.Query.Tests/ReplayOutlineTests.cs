using PaymentPlatform.Query.Replay;

namespace PaymentPlatform.Query.Tests;

public sealed class ReplayOutlineTests
{
    private static readonly ReplayOutline Outline = new([File(100, 0, 999), File(260, 1_000, 1_999), File(40, 2_000, 2_999)]);

    [Theory]
    [InlineData(0, null, 400)]
    [InlineData(2, 900L, 400)]
    [InlineData(100, 999L, 400)]
    [InlineData(102, 1_900L, 400)]
    [InlineData(400, 2_999L, 400)]
    public void Estimate_EverythingIsTaken_IsAllWhereverEventsLieInTheFilesTime(long done, long? time, long expected) =>
        Assert.Equal(expected, Outline.Estimate(Position(done, time)));

    [Theory]
    [InlineData(10, 999L, 40)]
    [InlineData(36, 1_999L, 40)]
    [InlineData(40, 2_999L, 40)]
    [InlineData(0, 1_999L, 0)]
    public void Estimate_ATenthIsTaken_GoesByTheFilesThatAreBehind(long done, long? time, long expected) =>
        Assert.Equal(expected, Outline.Estimate(Position(done, time)));

    private static ArchiveFile File(long rows, long min, long max) => new($"{min}.parquet", rows, 1, "", min, max);

    private static ReplayPosition Position(long done, long? time) => new(0, time is { } micros ? new(micros, "log", 0, 0, 0) : null, done);
}
