using System.Globalization;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Query;

/// <summary>Metrics that are folded about a second behind the counts and can't be added up in SQL: unique customers and merchants, and countries.</summary>
internal static class UniqueFigures
{
    private const string Customers = "unique_customers", Merchants = "unique_merchants", Countries = "countries";

    public static readonly IReadOnlyList<string> Metrics = [Customers, Merchants, Countries];

    public static string Column(string metric) => metric switch { Customers => "customers_sketch", Merchants => "merchants_sketch", _ => "countries::text" };

    /// <summary>Adds the metrics to the items. One group's sketches are held at a time.</summary>
    /// <param name="command">Answers the bin, the columns of the metrics and the keys, in the items' order.</param>
    /// <param name="items">All groups of the command's range, in order.</param>
    public static async Task<List<PaymentMetricsItem>> AddAsync(NpgsqlCommand command, List<PaymentMetricsItem> items, IReadOnlyList<string> metrics, CancellationToken cancellationToken)
    {
        var added = new List<PaymentMetricsItem>(items.Count);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var group = new Group();
        var at = -1;
        while (await reader.ReadAsync(cancellationToken))
        {
            // A group that came into being since the items were read is left out.
            var next = Find(reader, items, Math.Max(at, 0), metrics.Count);
            if (next < 0)
                continue;
            if (next != at)
            {
                Finish(next);
                at = next;
            }

            for (var i = 0; i < metrics.Count; i++)
                group.Add(metrics[i], reader, 1 + i);
        }

        Finish(items.Count);
        return added;

        void Finish(int end)
        {
            for (var i = added.Count; i < end; i++)
            {
                added.Add((i == at ? group : new()).AddTo(items[i], metrics));
                if (i == at)
                    group = new();
            }
        }
    }

    private static int Find(NpgsqlDataReader reader, List<PaymentMetricsItem> items, int from, int metrics)
    {
        for (var i = from; i < items.Count; i++)
        {
            if (items[i].WindowStart != reader.GetDateTime(0))
            {
                if (items[i].WindowStart > reader.GetDateTime(0))
                    return -1;
                continue;
            }

            if (items[i].Keys.Select((key, k) => (key, k)).All(pair => pair.key == reader.GetString(1 + metrics + pair.k)))
                return i;
        }

        return -1;
    }

    private sealed class Group
    {
        private readonly HyperLogLog _customers = new(), _merchants = new();
        private readonly SortedDictionary<string, long> _countries = new(StringComparer.Ordinal);

        public void Add(string metric, NpgsqlDataReader reader, int ordinal)
        {
            if (reader.IsDBNull(ordinal))
                return;
            if (metric == Customers)
                _customers.MergeBytes(reader.GetFieldValue<byte[]>(ordinal));
            else if (metric == Merchants)
                _merchants.MergeBytes(reader.GetFieldValue<byte[]>(ordinal));
            else
                AddCountries(reader.GetString(ordinal));
        }

        public PaymentMetricsItem AddTo(PaymentMetricsItem item, IReadOnlyList<string> metrics) => item with
        {
            Figures = [.. item.Figures, .. metrics.Where(m => m != Countries).Select(m => KeyValuePair.Create(m, (ExactNumber?)Number(m == Customers ? _customers : _merchants)))],
            Countries = metrics.Contains(Countries) ? _countries : null,
        };

        private static ExactNumber Number(HyperLogLog sketch) => new(sketch.Estimate().ToString(CultureInfo.InvariantCulture));

        private void AddCountries(string json)
        {
            using var document = JsonDocument.Parse(json);
            foreach (var country in document.RootElement.EnumerateObject())
                _countries[country.Name] = _countries.GetValueOrDefault(country.Name) + country.Value.GetInt64();
        }
    }
}
