using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Simulator;

/// <summary>The pieces of JSON that events are put together from, made once.</summary>
internal sealed class TransactionPools
{
    private static readonly string[] FirstNames =
    [
        "amelia", "björn", "carlos", "darryl", "elif", "fatima", "george", "haruka", "isabelle", "jürgen", "kaur", "linda", "melissa", "noah", "olivia", "priya",
        "quentin", "rosa", "sofía", "thomas", "ursula", "victor", "wei", "ximena", "yosuke", "zoë",
    ];

    private static readonly string[] LastNames =
    [
        "Allen", "Armstrong", "Benson", "Bryant", "Castillo", "Chang", "Cunningham", "Dickson", "Eaton", "Farley", "García", "Gonzalez", "Hernández", "Hill", "Jimenez",
        "Kim", "Lindsey", "Luna", "Martin", "Müller", "Nelson", "Parker", "Ramos", "Robertson", "Schmidt", "Sexton", "Tanaka", "Valencia", "Wilkinson", "Wood",
    ];

    private readonly uint _customerIds;

    private static readonly string[] Companies = ["{0} Inc", "{0} PLC", "{0} LLC", "{0} Group", "{0} and Sons", "{0}-{1}", "{0}, {1} and {2}"];

    public TransactionPools(ref SeededRandom random, int customers, int merchants)
    {
        _customerIds = (uint)random.Next();
        Customers = new byte[customers][];
        for (var i = 0; i < customers; i++)
        {
            var email = Ascii($"{Pick(ref random, FirstNames)}.{Pick(ref random, LastNames).ToLowerInvariant()}{random.Below(100)}@example.{(random.Below(2) == 0 ? "org" : "net")}");
            Customers[i] = Encoding.UTF8.GetBytes(email);
        }

        Merchants = new byte[merchants][];
        for (var i = 0; i < merchants; i++)
        {
            var name = string.Format(Pick(ref random, Companies), Pick(ref random, LastNames), Pick(ref random, LastNames), Pick(ref random, LastNames));
            Merchants[i] = Encoding.UTF8.GetBytes($", \"merchant_id\": \"MERCH-{(uint)random.Next():X8}\", \"merchant_name\": {Quote(name)}, \"merchant_category\": \"");
        }

        UserAgents = new byte[256][];
        for (var i = 0; i < UserAgents.Length; i++)
            UserAgents[i] = Encoding.UTF8.GetBytes(UserAgent(ref random));
    }

    /// <summary>Their e-mail addresses.</summary>
    public byte[][] Customers { get; }

    /// <summary>The merchant's fields, up to the category's value.</summary>
    public byte[][] Merchants { get; }

    public byte[][] UserAgents { get; }

    /// <summary>Their place in a sequence that fills any shares evenly: each customer and merchant keeps its country or category, and all of them together have the shares.</summary>
    public static ulong EvenlySpread(int index) => (ulong)(uint)index * 0x9E3779B97F4A7C15;

    /// <summary>The number in a customer's id: no two have the same.</summary>
    public uint CustomerId(int customer)
    {
        // Odd factors lose nothing modulo 2^31; the highest bit tells the pool from those who come once.
        var number = ((uint)(customer < 0 ? ~customer : customer) * 0x2545F491u + _customerIds) & 0x7FFFFFFF;
        return customer < 0 ? number | 0x80000000 : number;
    }

    // As browsers of today write it: 110 to 190 characters.
    private static string UserAgent(ref SeededRandom random) => random.Below(4) switch
    {
        0 => $"Mozilla/5.0 (Linux; Android {10 + random.Below(6)}; SM-S{900 + random.Below(99)}B Build/UP1A.{230000 + random.Below(9999)}.00{random.Below(9)}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/{100 + random.Below(40)}.0.{4000 + random.Below(3000)}.{random.Below(200)} Mobile Safari/537.36",
        1 => $"Mozilla/5.0 (iPhone; CPU iPhone OS {14 + random.Below(5)}_{random.Below(7)} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/{100 + random.Below(40)}.0.{4000 + random.Below(3000)}.{random.Below(200)} Mobile/15E148 Safari/604.1",
        2 => $"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{100 + random.Below(40)}.0.{4000 + random.Below(3000)}.{random.Below(200)} Safari/537.36 Edg/{100 + random.Below(40)}.0.{1000 + random.Below(3000)}.{random.Below(99)}",
        _ => $"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_{random.Below(8)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{100 + random.Below(40)}.0.{4000 + random.Below(3000)}.{random.Below(200)} Safari/537.36 OPR/{90 + random.Below(20)}.0.{1000 + random.Below(3000)}.{random.Below(99)}",
    };

    private static string Pick(ref SeededRandom random, string[] from) => from[random.Below(from.Length)];

    private static string Quote(string text) => JsonSerializer.Serialize(text, SimulatorJson.Relaxed);

    private static string Ascii(string text) => string.Concat(text.Normalize(NormalizationForm.FormD).Where(char.IsAscii));
}
