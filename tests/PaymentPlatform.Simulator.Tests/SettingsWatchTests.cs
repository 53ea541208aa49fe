using Microsoft.Extensions.Time.Testing;

namespace PaymentPlatform.Simulator.Tests;

public sealed class SettingsWatchTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _lines = [];
    private DateTime _written = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Current_FileChanged_IsTheNewOne()
    {
        Write("rate: 1");
        using var watch = Watch();
        Look();
        Assert.Empty(_lines);

        Write("rate: 2\nviolations: { kyc: 0.5 }");
        Look();

        Assert.Equal(2, watch.Current.Rate);
        Assert.Equal(3, watch.Current.Violations.Count);
        Assert.Contains("its settings are taken.", Assert.Single(_lines));
    }

    [Fact]
    public void Current_FileBroken_OldOnesStayAndTheLineIsNamed()
    {
        Write("rate: 1");
        using var watch = Watch();
        var before = watch.Current;

        Write("rate: 2\ncurrencies: { USD: 0.9 }");
        Look();
        Look();

        Assert.Same(before, watch.Current);
        Assert.Equal($"{_file}:2: currencies sums to 0.9 instead of 1: add 0.1. The old settings stay.", Assert.Single(_lines));

        Write("rate: 3");
        Look();
        Assert.Equal(3, watch.Current.Rate);
    }

    [Fact]
    public void Current_FileGone_OldOnesStay()
    {
        Write("rate: 1");
        using var watch = Watch();

        File.Delete(_file);
        Look();

        Assert.Equal(1, watch.Current.Rate);
        Assert.Contains("can't be read", Assert.Single(_lines));
    }

    [Fact]
    public void Current_FileStillBeingWritten_IsReadWhenItIsDone()
    {
        Write("rate: 1");
        using var watch = Watch();
        Look();

        Write("currencies: { USD: 0.9");
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Write("currencies: { EUR: 1 }");
        Look();

        Assert.Contains("taken", Assert.Single(_lines));
        Assert.Equal("EUR", Assert.Single(watch.Current.Currencies).Name);
    }

    [Fact]
    public void Current_SeedChanged_SaysThatItNeedsAStart()
    {
        Write("seed: 1");
        using var watch = Watch();

        Write("seed: 2\ncustomers: 7");
        Look();

        Assert.EndsWith("taken; seed, customers from the next start on.", Assert.Single(_lines));
    }

    public void Dispose() => File.Delete(_file);

    private SettingsWatch Watch() => new(_file, SettingsReader.ReadFile(_file), _time, _lines.Add);

    private void Write(string yaml)
    {
        File.WriteAllText(_file, yaml);
        // Whatever the file system's clock can tell apart.
        File.SetLastWriteTimeUtc(_file, _written += TimeSpan.FromSeconds(1));
    }

    private void Look()
    {
        _time.Advance(TimeSpan.FromMilliseconds(500));
        _time.Advance(TimeSpan.FromMilliseconds(500));
    }
}
