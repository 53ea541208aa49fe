using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Makes clients of the configured brokers, and puts what librdkafka says into our log.</summary>
internal sealed partial class KafkaConnection : IDisposable
{
    private readonly KafkaSettings _settings;
    private readonly string _stream;
    private readonly StreamOutage _outage;
    private readonly ILogger _logger;
    private readonly Lazy<IAdminClient> _admin;

    public KafkaConnection(IOptions<KafkaOptions> options, IOptions<StreamingOptions> streaming, IConfiguration configuration, StreamOutage outage, ILogger<KafkaConnection> logger)
        : this(new KafkaSettings(options.Value, streaming.Value, configuration.GetConnectionString("payments")), streaming.Value.Stream, outage, logger)
    {
    }

    internal KafkaConnection(KafkaSettings settings, string stream, StreamOutage outage, ILogger logger)
    {
        _settings = settings;
        _stream = stream;
        _outage = outage;
        _logger = logger;
        _admin = new(() => new AdminClientBuilder(settings.Admin()).SetLogHandler((_, m) => OnLog(m)).SetErrorHandler((_, e) => OnError(e)).Build());
    }

    public KafkaSettings Settings => _settings;

    public IAdminClient Admin => _admin.Value;

    public IProducer<byte[], byte[]> CreateProducer(Action<Error> onError) =>
        new ProducerBuilder<byte[], byte[]>(_settings.Producer())
            .SetLogHandler((_, m) => OnLog(m))
            .SetErrorHandler((_, e) =>
            {
                OnError(e);
                onError(e);
            })
            .Build();

    /// <param name="prefetchBytes">What librdkafka may hold by itself.</param>
    public ConsumerBuilder<KafkaBytes, KafkaBytes> ConsumerBuilder(string consumerGroup, long prefetchBytes, KafkaScratch scratch) =>
        new ConsumerBuilder<KafkaBytes, KafkaBytes>(_settings.Consumer(consumerGroup, prefetchBytes))
            .SetKeyDeserializer(scratch)
            .SetValueDeserializer(scratch)
            .SetLogHandler((_, m) => OnLog(m))
            .SetErrorHandler((_, e) => OnError(e));

    public StreamUnavailableException Unavailable(string reason, Exception? inner = null) =>
        new($"The stream '{_stream}' can't be reached at the Kafka brokers {_settings.Address}: {reason.TrimEnd('.')} (connection string 'payments').", inner);

    /// <summary>Errors of one message, topic or group; those of the connection itself come as <see cref="OnError"/>.</summary>
    [SuppressMessage("Performance", "CA1873", Justification = "Rare.")]
    private void OnLog(LogMessage message)
    {
        if (message.Facility is "FAIL" or "ERROR" or "CONFWARN")
            LogDetail(_logger, message.Facility, message.Message);
        else if (message.Level <= SyslogLevel.Error)
            LogWarning(_logger, message.Facility, message.Message);
        else
            LogDetail(_logger, message.Facility, message.Message);
    }

    private void OnError(Error error)
    {
        if (error.IsFatal)
            LogFatal(_logger, _settings.Address, error.Reason);
        else
            _outage.Report(Unavailable(error.Reason).Message);
    }

    public void Dispose()
    {
        if (_admin.IsValueCreated)
            _admin.Value.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A client of the Kafka brokers {Address} failed for good, another takes its place: {Fault}")]
    private static partial void LogFatal(ILogger logger, string address, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka {Facility}: {Text}")]
    private static partial void LogWarning(ILogger logger, string facility, string text);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Kafka {Facility}: {Text}")]
    private static partial void LogDetail(ILogger logger, string facility, string text);
}
