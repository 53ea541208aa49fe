using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;
using PaymentPlatform.Events;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest;

/// <summary>Takes the requests of <c>POST /v1/transactions</c>. A singleton.</summary>
internal sealed partial class TransactionIngest
{
    public const string CorrelationHeader = "X-Correlation-Id";

    private readonly IngestOptions _options;
    private readonly MessagePublisher _publisher;
    private readonly StreamOutage _outage;
    private readonly ByteBudget _budget;
    private readonly IngestTelemetry _telemetry;
    private readonly IRequestDecompressionProvider _decompression;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger<IngestRun> _logger;
    private readonly ObjectPool<EventChunk> _chunks;
    private readonly ObjectPool<TransactionParser> _parsers;
    private readonly LateRejections _lateRejections;
    private int _requests;

    public TransactionIngest(
        IOptions<IngestOptions> options, MessagePublisher publisher, StreamOutage outage, ByteBudget budget, IngestTelemetry telemetry,
        IRequestDecompressionProvider decompression, TimeProvider timeProvider, ILogger<IngestRun> logger)
    {
        _options = options.Value;
        _publisher = publisher;
        _outage = outage;
        _budget = budget;
        _telemetry = telemetry;
        _decompression = decompression;
        _timeProvider = timeProvider;
        _logger = logger;
        _chunks = new DefaultObjectPool<EventChunk>(new ChunkPolicy(), 64);
        _parsers = new DefaultObjectPool<TransactionParser>(new ParserPolicy(new() { CardData = _options.CardData }), 64);
        _lateRejections = new(_parsers);
    }

    public async Task<IResult> HandleAsync(HttpContext context)
    {
        var started = _timeProvider.GetTimestamp();
        var answer = await AdmitAsync(context);
        _telemetry.Answered(_timeProvider.GetElapsedTime(started), (answer as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status499ClientClosedRequest);
        return answer;
    }

    private async Task<IResult> AdmitAsync(HttpContext context)
    {
        if (context.Request.Query.Count > 0)
            return Problems.UnknownParameters(context.Request.Query.Keys);
        if (MediaTypes.Parse(context.Request.ContentType, out var format) is { } mediaTypeError)
            return Problems.UnsupportedMediaType(context, mediaTypeError);
        if (!IdempotencyKey.TryParse(context.Request.Headers[IdempotencyKey.Header], out var key))
            return Problems.BadHeader(IdempotencyKey.Header, $"one value of 1 to {IdempotencyKey.MaxLength} printable ASCII characters");
        var correlation = context.Request.Headers[CorrelationHeader];
        if (correlation.Count > 0 && (correlation.Count > 1 || !IdempotencyKey.IsPrintable(correlation[0] ?? "")))
            return Problems.BadHeader(CorrelationHeader, $"one value of 1 to {IdempotencyKey.MaxLength} printable ASCII characters");
        if (!TryOpen(context, format, out var body, out var decompressed))
            return Problems.UnsupportedEncoding(context);

        try
        {
            if (Interlocked.Increment(ref _requests) > (_options.MaxConcurrentRequests ?? int.MaxValue))
                return Problems.Overloaded(context);
            return await RunAsync(context, Request(format, key, correlation), body);
        }
        finally
        {
            Interlocked.Decrement(ref _requests);
            if (decompressed is not null)
                await decompressed.DisposeAsync();
        }
    }

    private async Task<IResult> RunAsync(HttpContext context, RequestInfo request, BodyStream body)
    {
        var parser = _parsers.Get();
        using var hash = new BodyHash(request);
        var run = new IngestRun(request, new(parser, request, _options, _timeProvider), _lateRejections, _publisher, _telemetry, _logger);
        try
        {
            var hadRoom = request.Format == IngestFormat.Ndjson
                ? await new NdjsonReader(body, run, hash, _budget, _chunks, _options.MaxEventBytes).ReadAsync()
                : await new JsonBodyReader(body, run, hash, _budget, _chunks, request.Format, _options.MaxBodyBytes).ReadAsync();
            if (run.Accepted > 0)
                _outage.Over();
            return hadRoom ? new IngestAnswer(run) : Problems.Overloaded(context);
        }
        catch (BodyException e)
        {
            LogBadBody(e.Title, run.Accepted);
            return Problems.BadBody(e, run);
        }
        catch (IdempotencyConflictException)
        {
            return Problems.IdempotencyConflict(run);
        }
        catch (StreamUnavailableException e)
        {
            _outage.Report(e.Message);
            LogUnavailable(run.Accepted);
            return Problems.StreamUnavailable(context, request, run);
        }
        catch (ClientGoneException)
        {
            LogClientGone(run.Accepted);
            return Results.Empty;
        }
        finally
        {
            _parsers.Return(parser);
        }
    }

    private bool TryOpen(HttpContext context, IngestFormat format, out BodyStream body, out Stream? decompressed)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            // Ours is exact and counts what is left after decompression; the server's also counts the framing of a chunked body, hence the room.
            limit.MaxRequestBodySize = format == IngestFormat.Ndjson ? null : 2L * _options.MaxBodyBytes;
        }

        var encoding = context.Request.Headers.ContentEncoding;
        var isCompressed = encoding.Count > 0 && !string.Equals(encoding.ToString(), "identity", StringComparison.OrdinalIgnoreCase);
        decompressed = isCompressed ? _decompression.GetDecompressionStream(context) : null;
        body = new(
            decompressed ?? context.Request.Body, isCompressed ? null : context.Request.ContentLength, isCompressed, _telemetry, context.RequestAborted);
        return !isCompressed || decompressed is not null;
    }

    private RequestInfo Request(IngestFormat format, string? key, string? correlation)
    {
        var id = Encoding.ASCII.GetBytes((key is null ? Guid.CreateVersion7(_timeProvider.GetUtcNow()) : IdempotencyKey.RequestId(key)).ToString());
        return new(format, key, id, correlation is null ? id : Encoding.ASCII.GetBytes(correlation), Headers());
    }

    private static MessageHeaders Headers()
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } activity)
            return MessageHeaders.Empty;
        return string.IsNullOrEmpty(activity.TraceStateString)
            ? new([new(HeaderNames.TraceParent, id)])
            : new([new(HeaderNames.TraceParent, id), new(HeaderNames.TraceState, activity.TraceStateString)]);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A request is answered with 503; {Accepted} of its events are in the stream.")]
    private partial void LogUnavailable(long accepted);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The body is refused: {Reason}; {Accepted} events of the request are in the stream.")]
    private partial void LogBadBody(string reason, long accepted);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The sender closed the connection in mid-body; {Accepted} events of the request are in the stream.")]
    private partial void LogClientGone(long accepted);

    private sealed class ChunkPolicy : PooledObjectPolicy<EventChunk>
    {
        public override EventChunk Create() => new();

        public override bool Return(EventChunk chunk)
        {
            chunk.Release();
            return true;
        }
    }

    private sealed class ParserPolicy(TransactionParserOptions options) : PooledObjectPolicy<TransactionParser>
    {
        public override TransactionParser Create() => new(options);

        public override bool Return(TransactionParser parser) => true;
    }
}
