using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

/// <summary>Against a dictionary; among the keys are many of the same bucket.</summary>
public sealed class KeyTableTests
{
    [Theory]
    [InlineData(1, 1UL)]
    [InlineData(2, 64UL)]
    [InlineData(3, 1UL << 40)]
    public void AddRemoveShrink_Randomly_HoldsWhatADictionaryHolds(int seed, ulong step)
    {
        var random = new Random(seed);
        var (table, expected, shrunk) = (new KeyTable<long>(), new Dictionary<UInt128, long>(), 0);
        for (var i = 0; i < 40_000; i++)
        {
            var key = new UInt128((ulong)random.Next(3), (ulong)random.Next(500) * step);
            var place = table.Find(key);
            Assert.Equal(expected.ContainsKey(key), place != KeyTable<long>.None);
            switch (random.Next(5))
            {
                case 0 when place != KeyTable<long>.None:
                    table.Remove(place);
                    expected.Remove(key);
                    break;
                case 1 when random.Next(400) == 0:
                    table.Shrink();
                    shrunk++;
                    break;
                case 2 when random.Next(4_000) == 0:
                    table.Clear();
                    expected.Clear();
                    break;
                default:
                    if (place == KeyTable<long>.None)
                    {
                        place = table.Add(key);
                        Assert.Equal(0, table[place]);
                        Assert.False(table.Mark(place));
                        table.Mark(place) = true;
                    }

                    table[place] += i;
                    expected[key] = expected.GetValueOrDefault(key) + i;
                    break;
            }

            Assert.Equal(expected.Count, table.Count);
        }

        Assert.True(shrunk > 5 && expected.Count > 100);
        var held = Enumerable.Range(0, table.End).Where(table.IsUsed).ToDictionary(table.KeyOf, place => (table[place], table.Mark(place)));
        Assert.Equal(expected.ToDictionary(p => p.Key, p => (p.Value, true)), held);
    }
}
