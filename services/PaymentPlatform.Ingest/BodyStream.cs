namespace PaymentPlatform.Ingest;

/// <summary>The request's body, decompressed.</summary>
/// <param name="length">Its bytes where they are known beforehand: not for a compressed or chunked body.</param>
internal sealed class BodyStream(Stream stream, long? length, bool isCompressed, IngestTelemetry telemetry, CancellationToken aborted)
{
    public long? Length => length;

    /// <returns>0 at the end of a body that arrived whole.</returns>
    /// <exception cref="BodyException">It is cut off, too slow or not what its encoding says.</exception>
    /// <exception cref="ClientGoneException"/>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            var read = await stream.ReadAsync(buffer, aborted);
            telemetry.Read(read);
            return read;
        }
        catch (BadHttpRequestException e)
        {
            throw new BodyException(e.StatusCode, "Unreadable body", e.Message);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            throw new ClientGoneException(e);
        }
        catch (Exception e) when (isCompressed && e is InvalidDataException or InvalidOperationException)
        {
            throw new BodyException(StatusCodes.Status400BadRequest, "Unreadable body", "The body is not what its Content-Encoding says, or is cut off.");
        }
    }
}
