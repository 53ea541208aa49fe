namespace PaymentPlatform.Query;

/// <summary>Answers a Parquet file, which is deleted when it has been sent; no file in the range is <c>204</c>, as there is no schema to tell.</summary>
public sealed class EventParquet(FileStream? file) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (file is null)
        {
            httpContext.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await using var _ = file;
        httpContext.Response.ContentType = EventFormat.Parquet.MediaType();
        httpContext.Response.ContentLength = file.Length;
        await file.CopyToAsync(httpContext.Response.Body, httpContext.RequestAborted);
    }
}
