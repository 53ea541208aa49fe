using System.Globalization;
using System.Text;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>The head of an HTTP/1.1 request or answer, as much of it as a proxy needs.</summary>
internal sealed class HttpHead
{
    private readonly List<string> _lines;

    private HttpHead(List<string> lines) => _lines = lines;

    /// <summary>The verb of a request.</summary>
    public string Method => _lines[0][.._lines[0].IndexOf(' ')];

    /// <summary>The path of a request, without its query.</summary>
    public string Path
    {
        get
        {
            var target = _lines[0].Split(' ')[1];
            var query = target.IndexOf('?');
            return Uri.UnescapeDataString(query < 0 ? target : target[..query]);
        }
    }

    /// <summary>Of a request that does something else than put, get or delete the blob itself.</summary>
    public bool HasQuery => _lines[0].Contains('?');

    public int Status => int.Parse(_lines[0].AsSpan(_lines[0].IndexOf(' ') + 1, 3), CultureInfo.InvariantCulture);

    public int ContentLength => Find("Content-Length") is { } length ? int.Parse(length, CultureInfo.InvariantCulture) : 0;

    public bool IsChunked => "chunked".Equals(Find("Transfer-Encoding"), StringComparison.OrdinalIgnoreCase);

    public bool Expects => Find("Expect") is not null;

    /// <summary>Null at the connection's end.</summary>
    public static async Task<HttpHead?> ReadAsync(ConnectionReader reader, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
                lines.Add(line);
            else if (lines.Count > 0)
                return new(lines);
        }

        return null;
    }

    public byte[] ToBytes() => Encoding.Latin1.GetBytes(string.Join("\r\n", _lines.Where(l => !l.StartsWith("Expect:", StringComparison.OrdinalIgnoreCase))) + "\r\n\r\n");

    private string? Find(string name) => _lines.Skip(1).FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
}
