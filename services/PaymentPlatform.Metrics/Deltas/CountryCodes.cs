using System.Text;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>ISO 3166-1 alpha-2 as small numbers: a sender can't make a breakdown grow by making countries up.</summary>
internal static class CountryCodes
{
    /// <summary>What an event without a country counts for, and one whose country is no ISO code.</summary>
    public const string Unknown = "unknown", Other = "other";

    private const string Codes =
        "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHU"
        + "IDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTC"
        + "TDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

    private static readonly string[] s_names = [Unknown, Other, .. Codes.Chunk(2).Select(pair => new string(pair))];
    private static readonly byte[] s_ids = Ids();
    private static readonly Dictionary<string, int> s_byName = s_names.Index().ToDictionary(n => n.Item, n => n.Index);

    public static string Name(int id) => s_names[id];

    /// <returns>Null for a name that is none of ours.</returns>
    public static int? Find(string name) => s_byName.TryGetValue(name, out var id) ? id : null;

    /// <param name="utf8">As sent, in upper or lower case; empty when there is none.</param>
    public static int IdOf(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return 0;
        if (utf8.Length != 2)
            return 1;
        int a = (utf8[0] & 0xDF) - 'A', b = (utf8[1] & 0xDF) - 'A';
        return (uint)a < 26 && (uint)b < 26 && utf8[0] >= 'A' && utf8[1] >= 'A' ? s_ids[(a * 26) + b] : 1;
    }

    private static byte[] Ids()
    {
        var ids = new byte[26 * 26];
        Array.Fill(ids, (byte)1);
        for (var id = 2; id < s_names.Length; id++)
        {
            var code = Encoding.ASCII.GetBytes(s_names[id]);
            ids[((code[0] - 'A') * 26) + code[1] - 'A'] = (byte)id;
        }

        return ids;
    }
}
