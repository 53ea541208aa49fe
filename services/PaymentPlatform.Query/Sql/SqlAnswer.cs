using System.Globalization;
using System.Text;

namespace PaymentPlatform.Query.Sql;

/// <summary><c>{"columns", "rows", "row_count", "truncated", "elapsed_ms", "files"}</c>. Collected before it goes out, so that a fault at its end is still answered as one; its size is bounded.</summary>
internal sealed class SqlAnswer : IResult
{
    private readonly List<byte[]> _rows = [];
    private byte[] _columns = [];
    private SqlEnded _ended = new(0, false);

    public int Files { get; set; }

    public TimeSpan Elapsed { get; set; }

    public long Rows => _ended.Rows;

    public void Columns(byte[] content) => _columns = content;

    public void Add(byte[] rows) => _rows.Add(rows);

    public void End(SqlEnded ended) => _ended = ended;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, aborted) = (httpContext.Response, httpContext.RequestAborted);
        response.ContentType = "application/json";
        await response.Body.WriteAsync("{\"columns\":"u8.ToArray(), aborted);
        await response.Body.WriteAsync(_columns, aborted);
        await response.Body.WriteAsync(",\"rows\":["u8.ToArray(), aborted);
        for (var i = 0; i < _rows.Count; i++)
        {
            if (i > 0)
                await response.Body.WriteAsync(","u8.ToArray(), aborted);
            await response.Body.WriteAsync(_rows[i], aborted);
        }

        var end = string.Create(
            CultureInfo.InvariantCulture,
            $"],\"row_count\":{_ended.Rows},\"truncated\":{(_ended.Truncated ? "true" : "false")},\"elapsed_ms\":{Elapsed.TotalMilliseconds:0.###},\"files\":{Files}}}");
        await response.Body.WriteAsync(Encoding.ASCII.GetBytes(end), aborted);
    }
}
