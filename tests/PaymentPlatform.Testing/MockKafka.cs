using System.Reflection;
using System.Runtime.InteropServices;

namespace PaymentPlatform.Testing;

/// <summary>
/// librdkafka's own mock cluster: one broker on a real socket that speaks Kafka's protocol (groups, idempotent producers, topic ids, log start offsets), in memory.
/// It keeps about 5 MB or 100,000 messages a partition, answers no CreateTopics, and makes a topic of 4 partitions when one is asked for that it does not have.
/// </summary>
public sealed partial class MockKafka : IDisposable
{
    private const string Library = "librdkafka";
    private const int Producer = 0;
    private const int BrokerId = 1;
    private const int ErrorSize = 512;

    private readonly nint _client;
    private nint _cluster;

    static MockKafka() => NativeLibrary.SetDllImportResolver(typeof(MockKafka).Assembly, Resolve);

    /// <param name="describesTopics">Off: as the mock cluster is without further settings, no controller answers, and so neither DescribeTopics.</param>
    public MockKafka(bool describesTopics = true)
    {
        var error = new byte[ErrorSize];
        var settings = NewSettings();
        SetSetting(settings, "log_level", "0", error, ErrorSize);
        _client = NewClient(Producer, settings, error, ErrorSize);
        _cluster = _client == 0 ? 0 : NewCluster(_client, 1);
        if (_cluster == 0)
            throw new InvalidOperationException("librdkafka made no mock cluster.");
        if (describesTopics)
            SetController(_cluster, BrokerId);
        SetRebalanceDelay(_cluster, 100);
        Address = Marshal.PtrToStringUTF8(Bootstraps(_cluster))!;
    }

    /// <summary>host:port.</summary>
    public string Address { get; }

    public void CreateTopic(string topic, int partitions) => Check(CreateTopic(_cluster, topic, partitions, 1), $"create {topic}");

    public void DeleteTopic(string topic) => Check(DeleteTopic(_cluster, topic), $"delete {topic}");

    /// <summary>As retention does: the log begins at <paramref name="before"/> now.</summary>
    public void DeleteRecords(string topic, int partition, long before) => Check(DeleteRecords(_cluster, topic, partition, before), $"delete records of {topic}/{partition}");

    /// <summary>Cuts all connections, and takes new ones at once.</summary>
    public void Cut()
    {
        Down();
        Up();
    }

    public void Down() => Check(SetDown(_cluster, BrokerId), "down");

    public void Up() => Check(SetUp(_cluster, BrokerId), "up");

    public void Dispose()
    {
        if (_cluster == 0)
            return;
        DestroyCluster(_cluster);
        DestroyClient(_client);
        _cluster = 0;
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
            throw new InvalidOperationException($"The mock cluster failed to {what}: error {error}.");
    }

    /// <summary>The package has one build for systems with libsasl2 and one for those without.</summary>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        foreach (var candidate in (ReadOnlySpan<string>)[Library, "centos8-librdkafka", "alpine-librdkafka"])
        {
            if (name == Library && NativeLibrary.TryLoad(candidate, assembly, path, out var handle))
                return handle;
        }

        return 0;
    }

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    private static partial nint NewSettings();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetSetting(nint settings, string name, string value, byte[] error, nint size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    private static partial nint NewClient(int type, nint settings, byte[] error, nint size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    private static partial void DestroyClient(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial nint NewCluster(nint client, int brokers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void DestroyCluster(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial nint Bootstraps(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_set_controller_id")]
    private static partial void SetController(nint cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    private static partial void SetRebalanceDelay(nint cluster, int milliseconds);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateTopic(nint cluster, string topic, int partitions, int replicas);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_delete", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int DeleteTopic(nint cluster, string topic);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_partition_delete_records", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int DeleteRecords(nint cluster, string topic, int partition, long before);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static partial int SetDown(nint cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static partial int SetUp(nint cluster, int broker);
}
